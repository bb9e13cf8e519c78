import { reportHtml } from '../../src/report/html/page.ts';
import { reportJson } from '../../src/report/render/json.ts';
import { reportMarkdown } from '../../src/report/render/markdown.ts';
import { parseReport } from '../../src/report/read.ts';
import { pairOf, repeatsOf, verdictOf } from '../../src/report/verdict.ts';
import { faults } from '../support/faults.ts';
import { example } from './example.ts';

describe('a report', () => {
  it('of several seeds shows the mean and its interval in tile, chart, steps and table', () => {
    const [teacher, scratch, distilled] = example.models;
    const models = [
      teacher!,
      { ...scratch!, repeats: repeatsOf([0.9, 0.91, 0.905], 200) },
      { ...distilled!, repeats: repeatsOf([0.946, 0.93, 0.92], 200) },
    ];
    const seeds = { ...example, models };
    expect(parseReport(reportJson(seeds))).toEqual(seeds);
    const page = reportHtml(seeds);
    expect(faults(page)).toEqual([]);
    const interval = '89.94 % to 96.46 %';
    expect(page).toContain(`<b>93.20 %</b><span>right on the test split, mean of 3 (95 % interval ${interval})`);
    expect(page).toContain(`93.20 %<small>${interval}, mean of 3</small>`);
    expect(page).toContain(`mean of 3: 93.20 % (${interval})`);
    expect(page).toContain(`93.20 % right on average (${interval})`);
    expect(reportHtml(example)).not.toContain('mean of 3');
    expect(reportMarkdown(seeds)).toContain(`distilled over 3 seeds: mean 93.20 %, 95 % interval ${interval}.`);
  });

  it('of one run of each says what is known about the two models', () => {
    const pair = pairOf('test', { onlyFirst: 12, onlySecond: 3, samples: 200 });
    const once = { ...example, verdict: { ...verdictOf([0.946], [0.9]), pair } };
    expect(parseReport(reportJson(once))).toEqual(once);
    const page = reportHtml(once);
    expect(faults(page)).toEqual([]);
    expect(page).toContain('<p>These two models: of 200 test samples the distilled student alone has 12 right');
    expect(reportMarkdown(once)).toContain('These two models: of 200 test samples');
  });
});
