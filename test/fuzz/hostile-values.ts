import type { Random } from '../faults/random.ts'

/** A message as JSON. */
export type Json = Record<string, unknown>

const TEXTS = [
  '',
  ' ',
  'd1',
  '__proto__',
  'constructor',
  '../../etc/passwd',
  '/',
  'workflow:disk-cleanup',
  'workflow:gone',
  '${{ 1 }}',
  '\u0000',
  '\u001b]52;c;eA==\u0007',
  '\u202e\u2066',
  '\ud800',
  '💥'.repeat(200),
  'x'.repeat(200),
  'x'.repeat(70_000),
  '1e999',
  '2026-01-01T00:00:00Z',
] as const

/** A text that programs like to get wrong. */
export function hostileText(random: Random): string {
  return random.pick(TEXTS)
}

/** Any JSON. @param levels how deep it may become */
export function hostileJson(random: Random, levels = 3): unknown {
  switch (random.between(0, levels > 0 ? 8 : 6)) {
    case 0:
      return null
    case 1:
      return random.chance(0.5)
    case 2:
      return random.pick([0, -1, 1.5, 2 ** 53, -(2 ** 31), 1e308])
    case 7:
      return Array.from({ length: random.between(0, 5) }, () => hostileJson(random, levels - 1))
    case 8:
      return Object.fromEntries(
        Array.from({ length: random.between(0, 5) }, () => [hostileText(random).slice(0, 100), hostileJson(random, levels - 1)]),
      )
    default:
      return hostileText(random)
  }
}

/** A valid message with some fields changed, left out or added. */
export function mutated(random: Random, message: Json): Json {
  const changed: Json = { ...message }
  for (let count = random.between(0, 3); count > 0; count -= 1) {
    const names = Object.keys(changed)
    const name = random.chance(0.1) ? hostileText(random).slice(0, 50) : (names[random.between(0, names.length - 1)] ?? 'type')
    if (random.chance(0.2)) delete changed[name]
    else changed[name] = hostileJson(random)
  }
  return changed
}

/** A frame: mostly a message in disguise, sometimes no message at all. */
export function hostileFrame(random: Random, message: Json): string | Buffer {
  const text = JSON.stringify(mutated(random, message))
  switch (random.between(0, 9)) {
    case 0:
      return text.slice(0, random.between(0, text.length))
    case 1:
      return bytes(random, random.between(0, 300))
    case 2:
      return Buffer.from(text)
    case 3:
      return `{"type":"${random.pick(['task', 'command_results'])}","metadata":${random.pick(['[', '{"a":']).repeat(random.between(1, 100_000))}`
    case 4:
      return JSON.stringify({ ...message, metadata: { wide: Array.from({ length: random.between(1, 100_000) }, () => 0) } })
    default:
      return text
  }
}

/** Bytes without a form. */
export function bytes(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.between(0, 255)))
}
