/** A whole number from a word of the command line. Words that are none become NaN, which is then refused by name. */
export function toNumber(word: string, mostDigits = 9): number {
  return /^\d+$/.test(word) && word.length <= mostDigits ? Number(word) : Number.NaN;
}
