import type { ClientConnectionManager } from '../clients/client-connection-manager.js'
import type { CopiedFile, CopyRequest } from '../sessions/file-copier.js'
import type { DeviceFiles } from './device-files.js'
import type { Here } from './file-transfer-run.js'
import { serverError } from '../errors.js'

/**
 * Copies a file between two devices: the bytes pass through the server as fast as the slower one takes them.
 * @throws AipError `TARGET_FORBIDDEN` or `TARGET_OUT_OF_SCOPE` if the owner of the session may not, `TRANSFER_FAILED` for one device twice, and as
 * the two transfers
 */
export async function copyFile(
  files: DeviceFiles,
  clients: ClientConnectionManager,
  { copy, owner, deviceId, transferId, runHere, signal }: CopyRequest,
): Promise<CopiedFile> {
  const { from, to, overwrite } = copy
  if (from.device === to.device)
    throw serverError('TRANSFER_FAILED', {
      detail: `cp copies from one device to another, and both paths are on '${from.device}': copy there with a command`,
    })
  for (const { device } of [from, to]) {
    if (device === deviceId) continue
    if (owner.kind === 'device') throw serverError('TARGET_FORBIDDEN')
    if (owner.kind === 'constellation' && !isInScope(owner.client_id, device, clients)) throw serverError('TARGET_OUT_OF_SCOPE')
    const known = clients.known.get(device)
    if (known === undefined) throw serverError('DEVICE_NOT_FOUND', { id: device })
    if (!clients.isDeviceConnected(device)) throw serverError('DEVICE_OFFLINE', { id: device })
  }
  const hereIf = (device: string): Here | undefined => (device === deviceId ? { transferId, run: runHere } : undefined)
  // Ends the sender when the receiver fails: a stream that was never read does not notice that it is closed.
  const over = new AbortController()
  const either = AbortSignal.any([signal, over.signal])
  const file = await files.read(owner, from.device, from.path, either, hereIf(from.device))
  try {
    const path = /(^|[\\/])$/.test(to.path) ? `${to.path}${file.filename}` : to.path
    const target = { path, size: file.size, overwrite }
    const written = await files.write(owner, to.device, target, file.content, either, hereIf(to.device))
    return { device: to.device, path: written.path, bytes: written.bytes, checksum: written.checksum }
  } finally {
    over.abort()
    file.content.destroy()
  }
}

/** A constellation that registered for one device copies only from and to that one. */
function isInScope(clientId: string | null, device: string, clients: ClientConnectionManager): boolean {
  const client = clientId === null ? undefined : clients.getClientInfo(clientId)
  // What an absent client registered for is not known.
  return client !== undefined && (client.scope === null || client.scope === device)
}
