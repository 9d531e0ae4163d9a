import { describe } from 'vitest'
import { systemPrograms } from '../../../test/support/system-programs.js'
import { describeSearch } from './support/search-promises.js'

describe.runIf(systemPrograms({ rg: 'ripgrep' }))('where ripgrep is installed', () => describeSearch('ripgrep', process.env))
