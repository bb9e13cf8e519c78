/** Something that was left out or left unchanged, with the reason. */
export interface Skipped {
  readonly what: string;
  readonly why: string;
}

/** A sentence for each thing that was left unchanged: of a layer with several such parts the reason of the first, and their number. */
export function unchangedTexts(skipped: readonly Skipped[]): string[] {
  const names = [...new Set(skipped.map(({ what }) => what))];
  return names.map((name) => {
    const [first, ...others] = new Set(skipped.filter(({ what }) => what === name).map(({ why }) => why));
    const rest = others.length === 0 ? '' : `, and ${others.length} more of its parts for such reasons`;
    return `${name} stays as it was: ${first}${rest}`;
  });
}
