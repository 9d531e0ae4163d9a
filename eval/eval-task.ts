/** Where a task is done. */
export interface Scene {
  /** A folder of its own; setup, check and the device's commands run in it. */
  dir: string
  /** Address of the local web site that comes with the evaluation. */
  web: string
}

/** One task of the evaluation. */
export interface EvalTask {
  id: string
  area: 'files' | 'text' | 'processes' | 'archives' | 'git' | 'database' | 'web'
  /** What the model is asked, in words. */
  request(scene: Scene): string
  /** Shell script that makes what the task begins with. */
  setup: string
  /** Shell script that exits with 0 if the end state is right. It gets `WEB`, and the model's result as `RESULT`. */
  check: string
  /** Shell commands that do the task, one for each step: what the recorded run says in place of a model. */
  solution: readonly string[]
  /** What the recorded run answers; for tasks that are questions. Default: that it is done. */
  answer?: string
}

/** A task whose request needs nothing of its scene but the folder. */
export function inFolder(task: Omit<EvalTask, 'request'> & { request: string }): EvalTask {
  const { request } = task
  return { ...task, request: ({ dir }) => `Work in the folder ${dir}. ${request}` }
}
