import { aipError } from '@orrery/aip'
import { DESKTOP_LIMITS } from './limits.js'
import type { X11 } from './x11.js'
import { deviceError } from '../../errors.js'

/** A picture of the screen or of a window. */
export interface Picture {
  mimeType: 'image/png' | 'image/jpeg'
  bytes: Buffer
  /** Pixels of the picture, which may be scaled down. */
  width: number
  height: number
}

/**
 * Takes a picture.
 * @param window its id, or `root` for the screen
 * @param fullSize as large as it is; otherwise within {@link DESKTOP_LIMITS}
 * @throws as {@link X11.run}
 */
export async function takePicture(x11: X11, window: string, fullSize: boolean, signal: AbortSignal): Promise<Picture> {
  const { side, picture } = DESKTOP_LIMITS
  const scale = fullSize ? [] : ['-resize', `${side}x${side}>`]
  const png = await x11.run('import', ['-silent', '-window', window, ...scale, 'png:-'], signal)
  const size = { width: pngSide(png, 16), height: pngSide(png, 20) }
  if (fullSize || png.length <= picture) return { mimeType: 'image/png', bytes: png, ...size }
  const jpeg = await x11.run('convert', ['png:-', '-define', `jpeg:extent=${picture}B`, 'jpg:-'], signal, png)
  if (jpeg.length > picture) throw aipError('FILE_TOO_LARGE', { size: jpeg.length, limit: picture })
  return { mimeType: 'image/jpeg', bytes: jpeg, ...size }
}

/** The picture as existing screenshot tools give it. */
export function dataUri({ mimeType, bytes }: Picture): string {
  return `data:${mimeType};base64,${bytes.toString('base64')}`
}

/** A side of a PNG, from its first block. */
function pngSide(png: Buffer, at: number): number {
  if (png.length < 24 || png.toString('latin1', 1, 4) !== 'PNG')
    throw deviceError('TOOL_FAILED', { tool: 'import', detail: 'it gave no picture' })
  return png.readUInt32BE(at)
}
