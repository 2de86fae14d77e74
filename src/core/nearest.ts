/** The word that takes the fewest insertions, deletions and replacements of letters; undefined where none is near. */
export function nearest(typed: string, words: readonly string[]): string | undefined {
  const ranked = words
    .map((word) => ({ word, distance: editDistance(typed.toLowerCase(), word.toLowerCase()) }))
    .filter(({ word, distance }) => distance <= Math.max(word.length, typed.length) / 2)
    .sort((a, b) => a.distance - b.distance)
  return ranked[0]?.word
}

/** The words that there are, for one that is none of them, and which one is near. */
export const listed = (words: readonly string[], near: string | undefined): string =>
  `${words.join(', ')}${near ? `, and the nearest is ${near}` : ''}`

/** Letters to insert, delete or replace to get from a to b (Levenshtein 1966), one row of the table at a time. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]
}
