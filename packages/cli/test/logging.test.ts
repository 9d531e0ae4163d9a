import { afterEach, describe, expect, it, vi } from 'vitest'
import { chooseLogLevel, parseLogLevel } from '../src/settings/logging.js'

afterEach(() => vi.unstubAllEnvs())

describe('the log level', () => {
  it('is that of the flag, the environment or the file, in this order, else WARNING [S-276]', () => {
    vi.stubEnv('ORRERY_LOG_LEVEL', '')
    expect(chooseLogLevel(undefined)).toBe('WARNING')
    expect(chooseLogLevel(undefined, 'ERROR')).toBe('ERROR')
    vi.stubEnv('ORRERY_LOG_LEVEL', 'debug')
    expect(chooseLogLevel(undefined, 'ERROR')).toBe('DEBUG')
    expect(chooseLogLevel(parseLogLevel('info'), 'ERROR')).toBe('INFO')
  })
})
