const SENTENCES = [
  /while running (?<op>\S+) node\. Name:\s?'(?<name>[^']*)'/,
  /Node ?\((?<name>[^)]*)\) Op ?\((?<op>[^)]*)\)/,
] as const;

/** Node that ONNX Runtime did not open or compute, as `node NAME (OPERATOR)`, from the runtime's sentence. Undefined for sentences on anything else. */
export function failedNode(error: unknown): string | undefined {
  const text = error instanceof Error ? error.message : String(error);
  const { op, name } = SENTENCES.map((one) => one.exec(text)).find((found) => found !== null)?.groups ?? {};
  return op === undefined ? undefined : `node ${name === '' ? 'without a name' : name} (${op})`;
}
