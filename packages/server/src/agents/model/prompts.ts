import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Where the prompts are, from the sources and from the build alike. */
const FOLDER = fileURLToPath(new URL('../../../prompts/', import.meta.url))

/** The prompts, one file each, with the values that their places take. */
interface PromptValues {
  system: { device: string; platform: string; role: string }
  linux: Readonly<Record<string, string>>
  host: Readonly<Record<string, string>>
  app: { process: string; root: string }
  mobile: Readonly<Record<string, string>>
  'plan-step': { task: string; object: string; number: string; count: string; step: string }
}

/** The name of a prompt's file, without its ending. */
export type PromptName = keyof PromptValues

/**
 * A prompt with its places filled in; a value is taken as it is, even if it looks like a place.
 * @throws Error if the file has a place that no value is given for
 */
export function renderPrompt<N extends PromptName>(name: N, values: PromptValues[N]): string {
  const given = new Map<string, string>(Object.entries(values))
  const template = readFileSync(`${FOLDER}${name}.md`, 'utf8')
  return template
    .replaceAll(/\{\{(\w+)\}\}/g, (_place, key: string) => {
      const value = given.get(key)
      if (value === undefined) throw new Error(`prompt ${name}: nothing is given for ${key}`)
      return value
    })
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim()
}
