import type { CallOutcome, Entry, Image } from './conversation.js'
import { Untrusted } from './untrusted.js'

/** Replaces an image that is not sent to the model again. */
const IMAGE_LEFT_OUT = '[image left out]'

/** Returns an entry without its images, or without some of them; each is mentioned in its place. @param kept those that stay */
export function withoutImages(entry: Entry, kept: (image: Image) => boolean = () => false): Entry {
  return mapOutcomes(entry, (outcome) => {
    const images = outcome.images.filter(kept)
    const missing = outcome.images.length - images.length
    if (missing === 0) return outcome
    const notes = Array.from({ length: missing }, () => IMAGE_LEFT_OUT)
    return { ...outcome, images, text: Untrusted.lines([outcome.text, ...notes]) }
  })
}

/** Returns an entry with its outcomes changed, if it has any. */
export function mapOutcomes(entry: Entry, change: (outcome: CallOutcome) => CallOutcome): Entry {
  return entry.kind === 'results' || entry.kind === 'observation' ? { ...entry, outcomes: entry.outcomes.map(change) } : entry
}

/** Returns all images of a conversation. */
export function imagesOf(entries: readonly Entry[]): Image[] {
  return entries.flatMap((entry) => ('outcomes' in entry ? entry.outcomes.flatMap(({ images }) => images) : []))
}
