import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The folder of the prompts, relative to both the sources and the build. */
const FOLDER = fileURLToPath(new URL('../../../prompts/', import.meta.url))

/** The prompts, one file each, with the names of their placeholders. */
interface PromptValues {
  system: { role: string }
  linux: Readonly<Record<string, string>>
  host: Readonly<Record<string, string>>
  app: Readonly<Record<string, string>>
  mobile: Readonly<Record<string, string>>
  'plan-step': { task: string; object: string; number: string; count: string; step: string }
}

/** The name of a prompt's file, without its extension. */
export type PromptName = keyof PromptValues

/**
 * Returns a prompt with its placeholders filled in; a value is used literally, even if it looks like a placeholder.
 * @throws Error if a placeholder has no value
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
