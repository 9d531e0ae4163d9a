/**
 * The agent name that existing devices of a platform expect in a COMMAND; it selects their set of tools (protocol reference,
 * chapter 4; C-58: macOS is treated like Linux).
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
