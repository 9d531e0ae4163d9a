// Records the size of an installed device, when its growth is worth it: `npm run install-size`.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SIZE_RECORD, installed, isPartOfDevice, packed, sizeOf } from './installation.ts'

const folder = mkdtempSync(join(tmpdir(), 'orrery-install-'))
try {
  const path = await installed(folder, (await packed(folder)).filter(isPartOfDevice))
  const size = sizeOf(join(path, 'node_modules'))
  console.log(`${readFileSync(SIZE_RECORD, 'utf8').trim()} is now ${size} bytes`)
  writeFileSync(SIZE_RECORD, `{ "device_bytes": ${size} }\n`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
