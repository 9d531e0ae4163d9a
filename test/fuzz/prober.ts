// Asks a server every 10 ms whether it is alive, and watches its own timers meanwhile, which tell how busy the machine is.
import { Agent, get } from 'node:http'

const url = process.argv[2] ?? ''
const PERIOD = 10
const agent = new Agent({ keepAlive: true, maxSockets: 4 })
const answers: number[] = []
const own: number[] = []

function ask(): Promise<void> {
  const begun = performance.now()
  return new Promise((resolve) => {
    const request = get(`${url}/healthz`, { agent }, (response) => {
      response.resume()
      response.once('end', () => {
        answers.push(performance.now() - begun)
        resolve()
      })
    })
    request.once('error', () => resolve())
  })
}

function percentile(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.999))] ?? 0
}

process.on('message', () => {
  process.send?.({ healthz: percentile(answers), idle: percentile(own), asked: answers.length })
  process.exit(0)
})

for (;;) {
  const begun = performance.now()
  await new Promise((resolve) => setTimeout(resolve, PERIOD))
  own.push(performance.now() - begun - PERIOD)
  await ask()
}
