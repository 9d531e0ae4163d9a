/** The commands that a help text lists: what is listed under headings that are not about options, arguments or examples. */
export function commandsIn(help: string): string[] {
  const sections = help.split(/^(?=\S.*:$)/m)
  return sections
    .filter((section) => !/^(Usage|Options|Arguments|Connection and output|Examples|Try these first):/.test(section))
    .flatMap((section) => [...section.matchAll(/^ {2}([a-z][a-z-]*) {2,}\S/gm)].map(([, name = '']) => name))
}
