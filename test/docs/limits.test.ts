import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Numbers that bound nothing for users: parts of a format, small waits between steps, and settings with a default. */
const NO_LIMITS: Readonly<Record<string, readonly string[]>> = {
  'aip/src/backoff.ts': ['LONGEST_RESUME_WAIT'],
  'aip/src/encoded-value.ts': ['DEPTH'],
  'aip/src/json-shape.ts': ['QUOTE', 'BACKSLASH', 'COMMA', 'OPEN_LIST', 'CLOSE_LIST', 'OPEN_OBJECT', 'CLOSE_OBJECT'],
  'aip/src/limits.ts': ['PINGS_PER_SILENCE'],
  'aip/src/node/frame-meter.ts': ['CONTROL', 'FIN', 'MASKED'],
  'aip/src/node/frame-watch.ts': ['FRAME_OVERHEAD'],
  'aip/src/node/websocket-transport.ts': ['SHORT_FRAME'],
  'device/src/client/progress-pacer.ts': ['SECOND'],
  'device/src/config/config-watcher.ts': ['SETTLE'],
  'device/src/config/host-spellings.ts': ['MOST_SECONDS'],
  'device/src/dbus/message.ts': ['METHOD_CALL', 'METHOD_RETURN', 'ERROR', 'START'],
  'device/src/journal/command-journal.ts': ['PRUNE_PAUSE'],
  'device/src/mcp/connection.ts': ['NO_LIMIT'],
  'device/src/mcp/stdio-transport.ts': ['NEWLINE'],
  'device/src/paths/destination.ts': ['PROCFS'],
  'device/src/policy/option-grammar.ts': ['FIRST_LETTER'],
  'device/src/process/process-group.ts': ['DRAIN', 'SESSION_PIPE', 'ROUNDS'],
  'device/src/process/slow-output.ts': ['FREE', 'PORTION', 'PAUSE'],
  'device/src/tools/desktop/accessible.ts': ['SCREEN', 'RELATION_LABELLED_BY'],
  'device/src/tools/desktop/keyboard.ts': ['KEY_DELAY', 'REMAPPED_DELAY'],
  'device/src/tools/desktop/mouse.ts': ['CLICK_DELAY', 'WHEEL_DELAY', 'DRAG_STEPS'],
  'device/src/config/add-rule.ts': ['OWNER_ONLY'],
  'device/src/tools/shell/terminal.ts': ['PTS'],
  'device/src/tools/files/atomic-write.ts': ['PERMISSIONS', 'NEW_FILE'],
  'device/src/tools/files/read-file.ts': ['CHUNK', 'NEWLINE', 'LONGEST_MARK'],
  'device/src/tools/files/ripgrep-search.ts': ['FAILED', 'MESSAGE_LIMIT'],
  'server/src/agents/model/ask-once.ts': ['ANSWER_PART'],
  'server/src/agents/model/endpoint-fetch.ts': ['LONGEST_FIELD'],
  'server/src/agents/model/fit-conversation.ts': ['CHARS_PER_TOKEN', 'IMAGE_TOKENS'],
  'server/src/agents/model/image-side.ts': ['HEAD'],
  'server/src/agents/model/to-prompt.ts': ['MARK_BYTES'],
  'server/src/agents/model/try-model.ts': ['SECRET_NUMBER'],
  'server/src/clients/known-devices.ts': ['SAVE_DELAY', 'LONGEST_SAVE_DELAY', 'SAVED_AT_ONCE', 'SAVE_PAUSE'],
  'server/src/identity/new-token.ts': ['TOKEN_BYTES', 'TOKENS_AT_ONCE'],
  'server/src/connection/message-rate.ts': ['STEP', 'CALM', 'TURN'],
  'server/src/identity/secrets.ts': ['SHORTEST'],
  'server/src/prune-regularly.ts': ['PAUSE'],
}

describe('the limits', () => {
  it('are in the tables that the page is made of, and in no other file', () => {
    const found = globSync('packages/{aip,device,server}/src/**/*.ts', { cwd: ROOT }).flatMap((path) => {
      const names = [
        ...readFileSync(`${ROOT}/${path}`, 'utf8').matchAll(/^(?:export )?const ([A-Z][A-Z\d_]*)(?:: number)? = \(?\d/gm),
      ]
      return names.length === 0 ? [] : [[path.replace('packages/', ''), names.map(([, name]) => name)] as const]
    })
    expect(Object.fromEntries(found)).toEqual(NO_LIMITS)
  })
})
