// Makes the packages that people install: `orrery-device-VERSION.tgz`, the device alone, and `orrery-VERSION.tgz`, everything. Each holds our own
// packages, so nothing of ours is asked of a registry. Plain JavaScript without dependencies, like launch.mjs, which calls it.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
/** Where the packages are made, and where the server finds the one for devices. */
const build = join(root, 'build')

/** What each package holds of ours, besides the command line. */
const PACKAGES = {
  'orrery-device': {
    parts: ['aip', 'log', 'device'],
    description: 'The Orrery device client',
    main: 'device-main.js',
    node: '>=22.13',
    // Of the command line the device uses these alone.
    dependencies: ['commander', 'pino', 'zod'],
  },
  orrery: {
    parts: ['aip', 'log', 'graph', 'server', 'device', 'constellation'],
    description: 'An agent server, a device client and a constellation client that run agent tasks on many machines',
    main: 'main.js',
    node: '>=24',
    dependencies: null,
  },
}

const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'))
const isOurs = (name) => name.startsWith('@orrery/')
const entriesOf = (...objects) => objects.flatMap((object) => Object.entries(object ?? {}))

/** Copies what a package publishes. */
function copyPublished(from, to) {
  const { files } = readJson(join(from, 'package.json'))
  for (const file of files.filter((name) => !name.startsWith('!')))
    cpSync(join(from, file), join(to, file), {
      recursive: true,
      filter: (path) => !path.endsWith('.tsbuildinfo') && !path.endsWith('.map') && !path.endsWith('.d.ts'),
    })
}

function stage(name) {
  const { parts, description, main, node, dependencies: wanted } = PACKAGES[name]
  const folder = join(build, 'stage', name)
  rmSync(folder, { recursive: true, force: true })
  const cli = readJson(join(root, 'packages/cli/package.json'))
  copyPublished(join(root, 'packages/cli'), folder)
  const dependencies = Object.fromEntries(
    entriesOf(cli.dependencies).filter(([key]) => !isOurs(key) && (wanted === null || wanted.includes(key))),
  )
  const optionalDependencies = {}
  for (const part of parts) {
    const from = join(root, 'packages', part)
    const { dependencies: own, optionalDependencies: optional, engines: _, ...manifest } = readJson(join(from, 'package.json'))
    const to = join(folder, 'node_modules/@orrery', part)
    copyPublished(from, to)
    // What it needs of others is installed beside it.
    writeFileSync(join(to, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
    for (const [key, version] of entriesOf(own)) if (!isOurs(key)) dependencies[key] = version
    for (const [key, version] of entriesOf(optional)) optionalDependencies[key] = version
    dependencies[manifest.name] = manifest.version
  }
  if (main !== 'main.js') writeFileSync(join(folder, 'dist/main.js'), `import './${main}'\n`)
  cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
  const { version, license, bin, type } = cli
  // Not `engines`, of which npm would warn: an older Node starts the one that is installed beside it.
  const config = { node }
  const bundleDependencies = parts.map((part) => `@orrery/${part}`)
  const manifest = {
    name,
    version,
    description,
    license,
    type,
    bin,
    config,
    dependencies,
    optionalDependencies,
    bundleDependencies,
  }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  return { folder, file: `${name}-${version}.tgz` }
}

/** Packs one package; the server gives `orrery-device.tgz` to devices, and the whole package carries it along. */
function pack(name) {
  const { folder, file } = stage(name)
  const device = join(build, 'orrery-device.tgz')
  if (name === 'orrery') cpSync(device, join(folder, 'orrery-device.tgz'))
  execFileSync('npm', ['pack', '--pack-destination', build, '--loglevel=error'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  })
  if (name === 'orrery-device') {
    cpSync(join(build, file), `${device}.part`)
    renameSync(`${device}.part`, device)
  }
  rmSync(folder, { recursive: true, force: true })
  return join(build, file)
}

function newestIn(path) {
  const { mtimeMs } = statSync(path)
  if (!statSync(path).isDirectory()) return mtimeMs
  return Math.max(0, ...readdirSync(path).map((name) => newestIn(join(path, name))))
}

/** Returns whether what the device's package is made of has changed since it was made. */
export function isDevicePackageStale() {
  const device = join(build, 'orrery-device.tgz')
  if (!existsSync(device)) return true
  const { mtimeMs } = statSync(device)
  const sources = ['cli', ...PACKAGES['orrery-device'].parts].flatMap((part) =>
    ['dist', 'package.json'].map((name) => join(root, 'packages', part, name)),
  )
  return sources.some((path) => newestIn(path) > mtimeMs)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(build, { recursive: true })
  if (process.argv[2] === 'device') pack('orrery-device')
  else for (const name of Object.keys(PACKAGES)) console.log(pack(name))
}
