/** Well-kept MCP servers that one word in the configuration adds: a browser, the tools of its developers, an Android device. */
export const PRESET_NAMES = ['browser', 'chrome-devtools', 'android'] as const

/** The name of a preset, which is also the namespace of its tools. */
export type PresetName = (typeof PRESET_NAMES)[number]
