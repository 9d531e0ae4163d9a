import { sleep, type Clock } from '@orrery/aip'
import { z } from 'zod'
import { DBusError, type DBusConnection } from '../../dbus/dbus-connection.js'
import { Variant } from '../../dbus/writer.js'
import { DESKTOP_LIMITS } from './limits.js'
import type { Area } from './windows.js'

/** An object of the accessibility bus (AT-SPI): an application, a window, a button. */
export interface Ref {
  /** Name of its application on the bus. */
  bus: string
  path: string
}

/** What an accessible object is now. */
export interface Accessible extends Ref {
  name: string
  /** The English name, e.g. `push button`. */
  role: string
  /** On the screen; null for what has no place there. */
  area: Area | null
  /** Whether it can be seen, if nothing lies above it. */
  showing: boolean
  enabled: boolean
  active: boolean
  /** Whether its text can be changed. */
  editable: boolean
}

/** Numbers of AT-SPI's states that count here. */
const STATE = { active: 1, editable: 7, enabled: 8, focused: 12, sensitive: 24, showing: 25 } as const
/** Of the whole screen; the other kind is relative to the window. */
const SCREEN = 0
const RELATION_LABELLED_BY = 2

const PREFIX = 'org.a11y.atspi'
const Refs = z.tuple([z.array(z.tuple([z.string(), z.string()]))])
const Kinds = z.tuple([z.array(z.string())])
const Words = z.tuple([z.string()])
const States = z.tuple([z.tuple([z.number(), z.number()])])
const Extents = z.tuple([z.tuple([z.number(), z.number(), z.number(), z.number()])])
const Relations = z.tuple([z.array(z.tuple([z.number(), z.array(z.tuple([z.string(), z.string()]))]))])

/** Reads and uses accessible objects. An object may go while it is looked at: what is asked of it then fails with a {@link DBusError}. */
export class AccessibleObjects {
  readonly #connection: DBusConnection
  readonly #clock: Clock

  constructor(connection: DBusConnection, clock: Clock) {
    this.#connection = connection
    this.#clock = clock
  }

  /** The applications that can be looked into. */
  applications(): Promise<Ref[]> {
    return this.children({ bus: `${PREFIX}.Registry`, path: '/org/a11y/atspi/accessible/root' })
  }

  /** The process of an application; null if it is not known. */
  async processOf({ bus }: Ref): Promise<number | null> {
    const name = 'org.freedesktop.DBus'
    const call = { destination: name, path: '/org/freedesktop/DBus', interface: name, member: 'GetConnectionUnixProcessID' }
    const body = await this.#connection.call({ ...call, signature: 's', body: [bus] }).catch(unlessLost([null]))
    return z.tuple([z.number().nullable()]).parse(body)[0]
  }

  async children(ref: Ref): Promise<Ref[]> {
    const [children] = Refs.parse(await this.#call(ref, 'Accessible', 'GetChildren'))
    return children.map(([bus, path]) => ({ bus, path }))
  }

  /** Null if it has gone. */
  describe(ref: Ref): Promise<Accessible | null> {
    return this.#describe(ref).catch(unlessLost(null))
  }

  async #describe(ref: Ref): Promise<Accessible> {
    const [name, role, states, area] = await Promise.all([
      this.#property(ref, 'Accessible', 'Name'),
      this.#call(ref, 'Accessible', 'GetRoleName'),
      this.#call(ref, 'Accessible', 'GetState'),
      this.#area(ref).catch(unlessLost(null)),
    ])
    const is = (state: number): boolean => isIn(states, state)
    return {
      ...ref,
      name: typeof name === 'string' ? name : '',
      role: Words.parse(role)[0],
      area,
      showing: is(STATE.showing),
      enabled: is(STATE.enabled) || is(STATE.sensitive),
      active: is(STATE.active),
      editable: is(STATE.editable),
    }
  }

  /** The text beside a control that names it, as beside a field; empty if there is none. */
  async label(ref: Ref): Promise<string> {
    const [relations] = Relations.parse(await this.#call(ref, 'Accessible', 'GetRelationSet').catch(unlessLost([[]])))
    const [target] = relations.find(([kind]) => kind === RELATION_LABELLED_BY)?.[1] ?? []
    if (target === undefined) return ''
    const name = await this.#property({ bus: target[0], path: target[1] }, 'Accessible', 'Name').catch(unlessLost(''))
    return typeof name === 'string' ? name : ''
  }

  /** The text in a control; null if it holds none. */
  async text(ref: Ref): Promise<string | null> {
    if (!(await this.#has(ref, 'Text'))) return null
    const length = await this.#property(ref, 'Text', 'CharacterCount').catch(unlessLost(null))
    if (typeof length !== 'number') return null
    return Words.parse(await this.#call(ref, 'Text', 'GetText', 'ii', [0, length]))[0]
  }

  /** Puts a text into a control: at its end, or instead of what it holds. @returns whether the control took it */
  async setText(ref: Ref, text: string, replace: boolean): Promise<boolean> {
    if (!(await this.#has(ref, 'EditableText'))) return false
    const length = await this.#property(ref, 'Text', 'CharacterCount').catch(unlessLost(0))
    // The position counts characters; the length is one in bytes to GTK and LibreOffice, and others do not look.
    const insert = ['InsertText', 'isi', [Number(length), text, Buffer.byteLength(text)]] as const
    const [member, signature, body] = replace ? (['SetTextContents', 's', [text]] as const) : insert
    const answer = await this.#call(ref, 'EditableText', member, signature, body).catch(unlessLost([false]))
    return answer[0] === true
  }

  /** Gives a control the keyboard, and waits a moment until it has it. @returns whether it takes it */
  async focus(ref: Ref): Promise<boolean> {
    if (!(await this.#has(ref, 'Component'))) return false
    if ((await this.#call(ref, 'Component', 'GrabFocus').catch(unlessLost([false])))[0] !== true) return false
    // A browser answers before it has done it: what is typed at once would go elsewhere.
    const { focus, focusLook } = DESKTOP_LIMITS
    for (let waited = 0; waited < focus; waited += focusLook) {
      if (isIn(await this.#call(ref, 'Accessible', 'GetState').catch(unlessLost([[0, 0]])), STATE.focused)) break
      await sleep(this.#clock, focusLook)
    }
    return true
  }

  /** Programs complain, and some end, when an object is asked for what it does not have. */
  async #has(ref: Ref, kind: string): Promise<boolean> {
    const [kinds] = Kinds.parse(await this.#call(ref, 'Accessible', 'GetInterfaces').catch(unlessLost([[]])))
    return kinds.includes(`${PREFIX}.${kind}`)
  }

  async #area(ref: Ref): Promise<Area | null> {
    if (!(await this.#has(ref, 'Component'))) return null
    const [[x, y, width, height]] = Extents.parse(await this.#call(ref, 'Component', 'GetExtents', 'u', [SCREEN]))
    return { x, y, width, height }
  }

  async #property(ref: Ref, kind: string, name: string): Promise<unknown> {
    const call = { destination: ref.bus, path: ref.path, interface: 'org.freedesktop.DBus.Properties', member: 'Get' }
    return (await this.#connection.call({ ...call, signature: 'ss', body: [`${PREFIX}.${kind}`, name] }))[0]
  }

  #call(ref: Ref, kind: string, member: string, signature = '', body: readonly unknown[] = []): Promise<unknown[]> {
    return this.#connection.call({
      destination: ref.bus,
      path: ref.path,
      interface: `${PREFIX}.${kind}`,
      member,
      signature,
      body,
    })
  }
}

/** @param states the answer of `GetState` */
function isIn(states: unknown[], state: number): boolean {
  const [bits] = States.parse(states)
  return (((bits[state >> 5] ?? 0) >>> (state & 31)) & 1) === 1
}

/** Switches on what some programs (Chromium, Qt) report only when an assistive technology listens. @param session the session's bus */
export async function announceListener(session: DBusConnection): Promise<void> {
  const body = ['org.a11y.Status', 'IsEnabled', new Variant('b', true)]
  const bus = { destination: 'org.a11y.Bus', path: '/org/a11y/bus' }
  await session
    .call({ ...bus, interface: 'org.freedesktop.DBus.Properties', member: 'Set', signature: 'ssv', body })
    .catch(unlessLost([]))
}

/** For questions that an object may not understand, or has gone before; a lost connection is an error all the same. */
export function unlessLost<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof DBusError) return value
    throw error
  }
}
