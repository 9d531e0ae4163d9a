/** A phrase that reads as a translation, and what to write instead. */
export interface Phrase {
  /** A regular expression without flags; a space matches any white space, so that a phrase is found across lines. */
  find: string
  write: string
}

/** What comments, documents and texts shown to people must not contain. Matched as whole words, in any letter case. */
export const PHRASES: readonly Phrase[] = [
  { find: 'jokers?', write: 'wildcard' },
  { find: 'pass(?:es|ed|ing)? over', write: 'ignore, skip' },
  { find: '(?:tell|tells|told|telling) (?:only |just )?of', write: 'report, describe' },
  { find: 'tells? (?:whether|how many|which|what|when|why)', write: 'return, report, show' },
  { find: '(?:is|are|was|were|be|being|been) told', write: 'be given, be notified, be asked, be reported' },
  { find: '(?:told|tell|tells) from', write: 'distinguish from' },
  {
    find: '(?:goes|go|went|gone) on(?! (?:the|a|an|its|one|each|top|every|port|and on)\\b)',
    write: 'continue, keep running, proceed',
  },
  { find: 'anew', write: 'again; "begins anew" is "restarts"' },
  { find: 'whoever', write: 'name who: the caller, a client, anyone who' },
  { find: 'nobody', write: 'a passive, or name who: "is not read", "no client"' },
  { find: 'first first|last last', write: 'oldest first, newest first' },
  { find: 'for so long|so long\\)?(?=[,.;:)]|$)|so long as', write: 'for this long; as long as' },
  { find: '(?:to|at most|in|of|after|for) so (?:many|much)', write: 'this many, a number of, `count`' },
  { find: '(?:take|takes|took|taken|taking) (?:\\w+ ){0,3}up again', write: 'resume' },
  { find: '(?:is|are|be) taken up(?! to)', write: 'take effect, resume' },
  { find: 'for ever', write: 'forever' },
  { find: 'in good order', write: 'cleanly' },
  { find: 'gives? back(?! to)|given back', write: 'return' },
  { find: '(?:has|have|had) become of|(?:come|comes|came) of', write: 'happen to, result' },
  { find: '(?:is|are) none of (?:its|their|his) own', write: 'reject, not belong to' },
  {
    find: '(?:lies|lie|stands|stand) (?:in|at|on|under|behind|after|before|beside|there)',
    write: 'be in, be at, follow, represent',
  },
  { find: '(?:that|which|who) (?:is|are|was|were) there(?! (?:a|an|any|no)\\b)', write: 'exist, be present, be installed' },
  { find: 'if (?:it|one) is there', write: 'if it exists' },
  {
    find: '(?<!\\bthere )(?<!\\bhere )(?:is|are|was|were) no (?!longer|more|less|larger|smaller|different|better|doubt|such|other|way|need|one|guarantee)\\w+',
    write: '"is not a …"',
  },
  { find: 'any more', write: 'no longer' },
  { find: 'no more(?=[.;,)])', write: 'no longer' },
  { find: 'of before', write: 'earlier, older' },
  { find: 'somebody', write: 'someone, or name who: a user, the owner, another client' },
  { find: '(?:of|for) the moment', write: 'current, present' },
  { find: 'without end', write: 'endlessly, forever' },
  { find: 'to (?:its|their) end', write: 'until it ends, to completion' },
  { find: '(?:breaks?|broke|broken|breaking) (?:\\w+ )?off', write: 'interrupt, cut off' },
  { find: 'lest', write: 'so that … not' },
  { find: 'so to say', write: 'leave it out' },
  { find: 'for people', write: 'human-readable, meant to be read' },
  { find: 'of what kind', write: 'which kind' },
  { find: 'as often as', write: 'each time, up to … times' },
  { find: 'does (?:not )?get on with', write: 'work with' },
  { find: 'until now', write: 'so far' },
  { find: 'is of (?:no )?(?:use|weight)', write: 'is useful, counts' },
]

/** A phrase that stays because a promise of the seed documents quotes it. */
export interface Quoted {
  text: string
  promise: string
}

/** Texts in which nothing is checked. One that no longer occurs fails the check. */
export const QUOTED: readonly Quoted[] = []
