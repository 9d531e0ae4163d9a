import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/**
 * Keeps this process small, because a device shares its machine with other work. V8 lets the space for new objects grow to 48 MiB
 * and more under load and never shrinks it, so its size is fixed; unused old objects are collected when they reach a fifth of those in use.
 */
export function staySmall(): void {
  keepNewSpace()
  setFlagsFromString('--heap-growing-percent=20')
}

/** Space for new objects that a server may take, in bytes; with less, a server of many devices spends its time collecting. */
const SERVER_SPACE = 8 * 1024 * 1024

/** Keeps the space for new objects small, once it is as large as a server needs it. */
export function staySmallAsServer(): void {
  const observer = new PerformanceObserver(() => {
    const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')
    if (space === undefined || space.space_size < SERVER_SPACE) return
    observer.disconnect()
    keepNewSpace()
  })
  observer.observe({ entryTypes: ['gc'] })
}

function keepNewSpace(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}
