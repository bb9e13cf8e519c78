import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { UserError } from '../../src/base/errors.ts';
import type { NodeCase, Outcome } from './onnx-nodes.ts';
import { aboutCase, tryCase } from './onnx-nodes.ts';
import { runPython } from './python.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'conformance-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("what is read of ONNX' own tests gives what it has to, and what is refused is refused by name", async () => {
  const made = runPython('onnx_nodes.py', folder) as {
    onnx: string;
    cases: number;
  };
  const cases = JSON.parse(readFileSync(path.join(folder, 'cases.json'), 'utf8')) as NodeCase[];
  const outcomes: Outcome[] = [];
  for (const [number, one] of cases.entries()) outcomes.push(await tryCase(folder, number, one));
  const wrong = outcomes.flatMap((outcome) => (outcome.kind === 'read' ? outcome.wrong : []));
  const unclear = outcomes.flatMap((outcome, i) =>
    outcome.kind === 'refused' && !isByName(outcome.error) ? [`${cases[i]!.name}: ${String(outcome.error)}`] : [],
  );
  const single = cases.flatMap((one, i) => {
    const { operators, isSingle } = aboutCase(folder, i, one);
    return isSingle && isPresent(one.name) ? [{ operators, isRead: outcomes[i]!.kind === 'read' }] : [];
  });
  const readSingle = single.filter(({ isRead }) => isRead).length;
  const missing = new Map<string, number>();
  for (const { operators, isRead } of single) if (!isRead) missing.set(operators, (missing.get(operators) ?? 0) + 1);
  const count = (kind: Outcome['kind']): number => outcomes.filter((outcome) => outcome.kind === kind).length;
  const reasons = outcomes.flatMap((outcome) => (outcome.kind === 'refused' ? [String(outcome.error)] : []));
  const operators = reasons.filter((reason) => reason.includes('is not known here')).length;
  const inputs = reasons.filter((reason) => /: input \S+: /.test(reason)).length;
  console.log(
    `ONNX ${made.onnx}, ${made.cases} tests: ${count('read')} read, ${wrong.length} results of them wrong; ` +
      `${count('refused')} refused (${operators} for an operator that is not known, ${inputs} for an input that is not ` +
      `float32); ${count('unknown')} that nothing says the result of.\n` +
      `Of one operator, in its present form, of float32, int32, int64 and bool: ${readSingle} of ${single.length} are read. ` +
      `The others: ${[...missing]
        .sort((a, b) => b[1] - a[1])
        .map(([name, n]) => `${name} ${n}`)
        .join(', ')}.`,
  );
  expect(wrong).toEqual([]);
  expect(unclear).toEqual([]);
  expect(count('read')).toBeGreaterThan(2200);
  expect(readSingle / single.length).toBeGreaterThan(0.7);
}, 600_000);

/** Not one for an older form of an operator, nor a model that PyTorch wrote years ago. */
function isPresent(name: string): boolean {
  return !name.includes(' at operator set ') && !name.includes('/');
}

/** Names the node and its operator, or the input, and says what to do. */
function isByName(error: unknown): boolean {
  return (
    error instanceof UserError &&
    error.hint !== '' &&
    /: (node .+ \(?[\w.]+\)?|input \S+:|expected a model with an input)/.test(error.message)
  );
}
