import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { z } from 'zod'
import type { Environment } from '../../process/child-environment.js'
import { findProgram } from '../../process/find-program.js'

const Manifest = z.object({ bin: z.record(z.string(), z.string()) })

/** A program of an npm package: how it is started. */
export interface PackageProgram {
  command: string
  args: string[]
}

/**
 * Finds a program of an npm package: beside this package, where `npm install` puts it, or on the `PATH`, where `npm install -g` does.
 * It is not looked for in the folder in which the device runs: whoever may write there would decide what is started.
 * @returns null if it is not installed
 */
export async function findPackageProgram(name: string, program: string, env: Environment): Promise<PackageProgram | null> {
  for (const folder of createRequire(import.meta.url).resolve.paths(name) ?? []) {
    const text = await readFile(join(folder, name, 'package.json'), 'utf8').catch(() => null)
    if (text === null) continue
    const manifest = Manifest.safeParse(JSON.parse(text))
    const file = manifest.success ? manifest.data.bin[program] : undefined
    if (file !== undefined) return { command: process.execPath, args: [join(folder, name, file)] }
  }
  const command = await findProgram(program, env)
  return command === null ? null : { command, args: [] }
}
