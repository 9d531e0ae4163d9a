import { describeSearch } from './support/search-promises.js'

describeSearch('the search of the device', { ...process.env, PATH: '/no/such/folder' })
