/** Well-kept MCP servers that one word in the configuration adds: a browser, the tools of its developers, an Android device. */
export const PRESET_NAMES = ['browser', 'chrome-devtools', 'android'] as const

/** The name of a preset; it is the namespace of its tools too. */
export type PresetName = (typeof PRESET_NAMES)[number]
