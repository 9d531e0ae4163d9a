import { defineLimits, limit, limitValues } from '@orrery/aip'

/** The limits of workflow files and their expressions. */
export const GRAPH_LIMITS_TABLE = defineLimits({
  workflowFile: limit(64 * 1024, 'characters', 'A workflow file.'),
  yamlTokens: limit(
    12_000,
    'tokens',
    'Words, marks and spaces of a workflow file: reading one takes much longer than its length tells.',
  ),
  fileProblems: limit(100, 'problems', 'Mistakes that are listed of one file.'),
  syntaxProblems: limit(3, 'problems', 'Mistakes that are listed of a file that is not YAML.'),
  yamlNesting: limit(64, 'levels', 'Lists and objects in one another on one line of a workflow file.'),
  expressions: limit(1000, 'expressions', 'Expressions of a workflow file.'),
  expression: limit(8192, 'characters', 'One expression.'),
  expressionText: limit(1024 * 1024, 'characters', 'The text that an expression makes of others.'),
  splitItems: limit(100_000, 'items', 'Items that `split` makes of a text.'),
  workflowDepth: limit(4, 'levels', 'Workflows that call one another.'),
})

/** The values of {@link GRAPH_LIMITS_TABLE} by name. */
export const GRAPH_LIMITS = limitValues(GRAPH_LIMITS_TABLE)
