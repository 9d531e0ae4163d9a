import { describe } from 'vitest'
import { MemoryFeed } from '../src/store/memory-feed.js'
import { feedPromises } from './promises/feed-promises.js'

describe('the feed in memory', () => {
  feedPromises(() => new MemoryFeed(), 10_000)
})
