import path from 'node:path';
import { UserError } from '../../src/base/errors.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { runPython } from './python.ts';
import { noted, zooFolder } from './zoo.ts';
import { markdown, short } from './zoo-table.ts';
import { arraysOf, trained } from './zoo-training.ts';
import type { Lesson, Trained } from './zoo-training.ts';

interface Form {
  readonly exporter: string;
  /** Why torch could not write the net; the other fields are absent then. */
  readonly notWritten?: string;
  readonly file: string;
  readonly numbers: string;
  /** Parameters without a gradient in PyTorch: nothing of the net reads them. */
  readonly unused: readonly string[];
  /** How far the gradients of PyTorch in float32 are from those in float64. */
  readonly float32: number;
  /** Steps of this net, or of one with smooth activations. */
  readonly adam: NonNullable<Lesson['adam']> & Record<'file' | 'numbers', string> & { readonly float32: number };
  readonly isSmooth: boolean;
  /** Sums of the absolute values that gradients of single numbers add up, where float32 cannot tell the gradient from 0. */
  readonly cancelling: Readonly<Record<string, number>>;
  /** Parameters of norms that the newer exporter drops, as others with equal weights read the same value. */
  readonly merged: readonly string[];
}

interface Written {
  readonly forms: readonly Form[];
  readonly labels: readonly number[];
}

/** Nets whose equal weights exporters store once; `ties` has weights that are really one. */
const OWN = ['encoder', 'vit', 'bert', 'groups', 'ties', 'convnextv2_atto'];

/** Nets of timm, drawn by a seed: `python3 zoo_untrained.py --draw`. */
const DRAWN = [
  ...['repghostnet_080', 'fastvit_t8', 'mobilenetv4_conv_small_050', 'semnasnet_050', 'hgnetv2_b0', 'mobilenetv2_050'],
  ...[
    'test_convnext2',
    'starnet_s2',
    'repghostnet_050',
    'fbnetc_100',
    'cs3darknet_focus_s',
    'pvt_v2_b0',
    'cspnext_tiny',
  ],
  ...[
    'mobilenetv1_100',
    'repghostnet_100',
    'mobilevit_xs',
    'hardcorenas_b',
    'mobilevit_xxs',
    'efficientvit_m1',
    'test_vit4',
  ],
];

/** Forms that torch's exporters cannot write. */
const NOT_WRITTEN = new Set(['test_vit4 legacy']);

const { folder, close } = zooFolder();
const rows: string[][] = [];

beforeAll(() => useLazyBackend(evaluator));
afterAll(() => {
  const head = ['net', 'exporter', 'weights', 'not trained', 'logits', 'gradients', "PyTorch's", 'Adam', "PyTorch's"];
  console.log(markdown(head, rows, 2).join('\n'));
  close();
});

it('the nets of timm are those that the seed draws', () => {
  expect(runPython('zoo_untrained.py', '--draw')).toEqual(DRAWN);
}, 600_000);

describe.each([...OWN, ...DRAWN])('%s, untrained', (name) => {
  it('has the logits, the gradients and the weights after three steps that PyTorch gives, and trains every weight or names it', async () => {
    const { forms, labels } = await noted(folder, `${name}.untrained.json`, () => runPython('zoo_untrained.py', folder, name) as Written); // prettier-ignore
    const faults: string[] = [];
    for (const form of forms) {
      if (form.notWritten !== undefined) {
        if (!NOT_WRITTEN.has(`${name} ${form.exporter}`)) faults.push(`${form.exporter}: ${form.notWritten}`);
        rows.push([name, form.exporter, '—', '—', `torch does not write it: ${form.notWritten}`, '—', '—', '—', '—']);
        continue;
      }
      const found = await noted(folder, `${name}-${form.exporter}.trained.json`, () => measured(form, labels));
      if (typeof found === 'string') {
        rows.push([name, form.exporter, '—', '—', found, '—', '—', '—', '—']);
        faults.push(`${form.exporter}: ${found}`);
        continue;
      }
      const { weights, unmatched, others, origin, logits, gradient, adam } = found;
      const left = unmatched.map((key) => key.slice(2)).filter((key) => !form.unused.includes(key));
      const kind = `${form.exporter}${form.isSmooth ? ', smooth' : ''}`;
      rows.push([name, kind, String(weights), String(left.length + form.merged.length), short(logits), short(gradient), short(form.float32), short(adam!), short(form.adam.float32)]); // prettier-ignore
      const unnamed = [...left, ...form.merged].filter((key) => !origin.includes(key));
      if (unnamed.length > 0) faults.push(`${form.exporter}: neither trained nor named: ${unnamed.join(', ')}`);
      const unsaid = others.filter((key) => !origin.includes(`${key} (computed from `));
      if (unsaid.length > 0) faults.push(`${form.exporter}: none of PyTorch's: ${unsaid.join(', ')}`);
      // PyTorch's own float32 tells whether there is something to compare with.
      if (form.float32 > 1e-2)
        faults.push(`${form.exporter}: gradients of PyTorch's float32 are ${form.float32} from its float64`);
      const limit = (theirs: number, least: number): number => Math.max(least, 8 * theirs);
      if (!(logits < 1e-4)) faults.push(`${form.exporter}: logits ${logits}`);
      if (!(gradient < limit(form.float32, 1e-4))) faults.push(`${form.exporter}: gradients ${gradient}, PyTorch's float32 ${form.float32}`); // prettier-ignore
      if (!(adam! < limit(form.adam.float32, 1e-3))) faults.push(`${form.exporter}: Adam ${adam!}, PyTorch's float32 ${form.adam.float32}`); // prettier-ignore
    }
    expect(faults).toEqual([]);
  }, 1_200_000);
});

async function measured(
  { file, numbers, adam, cancelling: sizes }: Form,
  labels: readonly number[],
): Promise<Trained | string> {
  try {
    const of = (one: string, archive: string, more: Partial<Lesson>): Promise<Trained> =>
      trained(path.join(folder, one), arraysOf(path.join(folder, archive)), { labels, sizes, ...more });
    const { adam: moved } = await of(adam.file, adam.numbers, { adam });
    return { ...(await of(file, numbers, {})), adam: moved! };
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}
