import type { EvalTask } from './eval-task.ts'
import { developmentTasks } from './tasks/development.ts'
import { filesTasks } from './tasks/files.ts'
import { systemTasks } from './tasks/system.ts'
import { textTasks } from './tasks/text.ts'
import { webTasks } from './tasks/web.ts'

/** All tasks of the evaluation. */
export const ALL_TASKS: readonly EvalTask[] = [...filesTasks, ...textTasks, ...systemTasks, ...developmentTasks, ...webTasks]
