/**
 * Returns the agent name of a COMMAND for a device of this platform; it selects the device's set of tools (protocol
 * reference, chapter 4; C-58: macOS is treated like Linux).
 */
export function agentNameFor(platform: string): string {
  switch (platform) {
    case 'windows':
      return 'HostAgent'
    case 'mobile':
    case 'android':
      return 'MobileAgent'
    default:
      return 'LinuxAgent'
  }
}
