/**
 * A list that is computed again and again, as the very list of before while its members are the same ones: what is
 * derived from it then stays, too. For `$derived.by`.
 */
export function keepIfSame<Item>(
  compute: () => Item[],
  isSame: (a: Item, b: Item) => boolean = Object.is,
): () => Item[] {
  let kept: Item[] = []
  return () => {
    const next = compute()
    const isKept =
      next.length === kept.length &&
      next.every((item, index) => {
        const before = kept[index]
        return before !== undefined && isSame(item, before)
      })
    if (!isKept) kept = next
    return kept
  }
}
