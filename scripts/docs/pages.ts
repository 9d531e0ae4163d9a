import { commandLinePage } from './command-line-page.ts'
import { eventsPage } from './events-page.ts'
import { httpPage, openApiDocument } from './http-page.ts'
import { pictures } from './pictures.ts'
import { protocolPage } from './protocol-page.ts'
import { errorsPage, limitsPage } from './reference-pages.ts'
import { schemaFiles } from './schema-files.ts'

/** All generated documents, by their path under docs. */
export async function generatedPages(): Promise<Map<string, string>> {
  const [document, commandLine] = await Promise.all([openApiDocument(), commandLinePage()])
  return new Map([
    ['protocol.md', protocolPage()],
    ['http.md', httpPage()],
    ['events.md', eventsPage()],
    ['openapi.json', document],
    ['errors.md', errorsPage()],
    ['limits.md', limitsPage()],
    ['command-line.md', commandLine],
    ...pictures(),
    ...schemaFiles(),
  ])
}
