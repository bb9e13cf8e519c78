import { answerBlock, answerPlan, BlockMerge, isBlock } from '../../../src/distill/answers/answer-blocks.ts';
import { SoftTargetsBuilder } from '../../../src/distill/answers/soft-targets.ts';
import type { StoreOptions } from '../../../src/distill/answers/soft-targets.ts';
import type { Teacher } from '../../../src/distill/teachers/teacher.ts';
import { pictures } from '../../support/dataset.ts';

/** Its answer to a sample depends on how many it is asked about at once, as the last bit of a real one's can. */
const teacher: Teacher = {
  ...{ name: 'a test teacher', key: 'test', classes: 3, featureShapes: {}, params: 0, sizeBytes: 0, device: 'cpu' },
  answer: (x, n) => {
    const logits = Float32Array.from({ length: n * 3 }, (_, i) => x[Math.floor(i / 3) * 32 + (i % 3)]! + n / 8);
    return Promise.resolve({ logits, features: {} });
  },
  dispose: () => Promise.resolve(),
};

const options: StoreOptions = {
  ...{ teacher, dataset: pictures(), store: 'fp16', views: 2, augment: [{ shift: 1 }], seed: 5 },
};

it('blocks merge to the answers of one process, whatever their order', async () => {
  const builder = new SoftTargetsBuilder(options);
  while (builder.done < builder.total) await builder.next(7);
  const alone = builder.saved();
  const plan = answerPlan(options, 7, 2);
  expect(plan.blocks.length).toBe(4);
  const merge = new BlockMerge(options);
  for (const block of [...plan.blocks].reverse()) {
    const content = await answerBlock(options, plan, block, () => 1.5);
    expect(isBlock(content, plan, block)).toBe(true);
    merge.add(block, content);
  }
  expect(merge.whole).toEqual({ ...alone, metadata: { ...alone.metadata, seconds: '6' } });
});

it('blocks of another cut or of another place are not taken', async () => {
  const plan = answerPlan(options, 7);
  const [first, second] = plan.blocks as [(typeof plan.blocks)[0], (typeof plan.blocks)[0]];
  const content = await answerBlock(options, plan, first, () => 0);
  expect(isBlock(content, plan, second)).toBe(false);
  for (const other of [
    answerPlan(options, 8),
    answerPlan(options, 7, 2),
    answerPlan({ ...options, seed: 6 }, 7),
    answerPlan({ ...options, store: 'fp32' }, 7),
  ])
    expect(isBlock(content, other, first)).toBe(false);
});
