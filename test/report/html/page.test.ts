import { reportCsv } from '../../../src/report/render/csv.ts';
import { escape } from '../../../src/report/html/escape.ts';
import { reportHtml } from '../../../src/report/html/page.ts';
import { besideMarks } from '../../../src/report/html/charts/labels.ts';
import { reportJson } from '../../../src/report/render/json.ts';
import { reportMarkdown } from '../../../src/report/render/markdown.ts';
import { parseReport } from '../../../src/report/read.ts';
import { faults } from '../../support/faults.ts';
import { example } from '../example.ts';

describe('the check of pages', () => {
  it.each(['<p><b></p></b>', '<p class=a></p>', '<p>a < b</p>', '<p>a & b</p>', '<p>', '<p id="a"></p><p id="a"></p>'])(
    'finds what is wrong with %s',
    (html) => expect(faults(html)).not.toEqual([]),
  );
});

const FOLDED = ['curves', 'calibration', 'channels', 'pruning', 'quantization', 'facts', 'again'];

describe('report.html', () => {
  const html = reportHtml(example);

  it('says what went to and from the device, where that is known', () => {
    expect(html).toContain('state 7 times, 2.50 MB<small>data 30.00 MB in 1,234 calls</small>');
    const stages = example.stages!.map(({ traffic, ...stage }) => ({ ...stage, seconds: traffic?.calls ?? 1 }));
    expect(reportHtml({ ...example, stages })).not.toContain('to and from the device');
  });

  it('has the peak memory of each measurement, when it was made if not by the run, and what it left out', () => {
    expect(html).toContain('peak memory');
    expect(html).toContain('2.00 MB');
    expect(html).toContain(
      'latency of WebGPU was not measured at 2026-01-02T03:04:05.000Z: this browser has &lt;none&gt;',
    );
    const models = example.models.map((model) => ({
      ...model,
      latency: model.latency.map((row) => ({ ...row, measuredAt: '2026-01-02T03:04:05.000Z' })),
    }));
    expect(reportHtml({ ...example, models })).toContain('measured 2026-01-02 03:04 UTC');
  });

  it('folds secondary sections behind their headings on narrow screens, and no other', () => {
    const sections = html.split('<section id="').slice(1);
    const far = sections.filter((text) => text.includes('</h2><details class="far"><summary>Show</summary>'));
    const idOf = (text: string) => text.slice(0, text.indexOf('"'));
    expect(far.map(idOf)).toEqual(FOLDED);
    expect(far.every((text) => /<\/details><\/section>\s*(<\/main>|$)/.test(text))).toBe(true);
  });

  it('is well formed, whatever is missing in the report', () => {
    expect(faults(html)).toEqual([]);
    const { teacher, verdict, training, measurement, remeasured, recipe, stages, environment, ...more } = example;
    expect(remeasured).toBeDefined();
    expect(teacher && verdict && training && measurement && recipe && stages && environment).toBeDefined();
    const { quantizationSensitivity, ...rest } = more;
    expect(quantizationSensitivity).toBeDefined();
    const models = example.models.map(({ confusion, calibration, agreement, ...row }) => {
      expect(confusion && calibration).toBeDefined();
      expect(agreement === undefined).toBe(row.id === 'teacher');
      return { ...row, latency: [], macs: null };
    });
    for (const report of [
      { ...rest, models },
      { ...rest, models: [] },
      { ...rest, models: models.slice(2) },
    ]) {
      expect(faults(reportHtml(report))).toEqual([]);
      expect(reportHtml(report)).not.toMatch(/NaN|undefined|Infinity/);
    }
  });

  it('has a row for each type of entity, and says how many there are where those are too many', () => {
    const typed = (count: number) => {
      const row = { ...{ there: 3, given: 2, right: 1 }, ...{ precision: 0.5, recall: 1 / 3, f1: 0.4 } };
      const rows = Array.from({ length: count }, (_, i) => ({ name: `TYPE${i}.`, ...row }));
      const entities = { split: 'test', words: 9, rightWords: 0.5, precision: 0.5, recall: null, rows } as const;
      return { ...example, models: example.models.map((model) => ({ ...model, entities })) };
    };
    expect(reportHtml(typed(40))).toContain('TYPE39.');
    expect(reportHtml(typed(40))).not.toContain('types; report.json has all');
    expect(reportHtml(typed(41))).toContain('The first 40 of 41 types; report.json has all.');
    expect(reportHtml(typed(41))).not.toContain('TYPE40.');
    expect(faults(reportHtml(typed(41)))).toEqual([]);
    expect(reportMarkdown(typed(41))).toContain('| TYPE40. |');
  });

  it('loads nothing and runs nothing', () => {
    // Only what stands in tags can load: names of classes may say what they want.
    const tags = [...html.matchAll(/<[a-z][^>]*>/gi)]
      .map(([tag]) => tag.replace(/(title|aria-label)="[^"]*"/g, ''))
      .join('\n');
    expect(tags).not.toMatch(/https?:|\ssrc=|\shref="(?!#)|<script|<link|<iframe|<object|\son\w+=/i);
    expect([...html.matchAll(/<style>([^]*?)<\/style>/g)].map((match) => match[1]).join('')).not.toMatch(
      /url\(|@import/,
    );
    expect(html).toContain("default-src 'none'");
  });

  it('shows hostile names as text', () => {
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(html).toContain('&quot;&gt;&lt;img src=x onerror=&#39;alert(2)&#39;&gt;\ufffd &amp; co');
    expect(escape('is smaller \u202egnp.exe')).toBe('is smaller \ufffdgnp.exe');
    expect(html).toContain('CPU &lt;b&gt;');
  });

  it('begins with the result in plain words', () => {
    expect(html).toContain(
      '<p class="lead">The distilled student is 15× smaller and 6× faster than the teacher, and 0.4 points less accurate.</p>',
    );
  });

  it('has every chart, each with its content in words', () => {
    const labels = [...html.matchAll(/<svg class="chart[^>]*aria-label="([^"]*)"/g)].map((match) => match[1]!);
    // Two settings and the tail, size and MACs, each wide and narrow.
    expect(labels.filter((label) => label.startsWith('Accuracy against'))).toHaveLength(10);
    expect(labels).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^Training loss\. teacher from 1 to 0\.333; scratch from 2/),
        expect.stringMatching(/^Accuracy on the validation split\./),
        expect.stringMatching(/^Time of a batch \(median\)\. teacher from 6\.00 ms to 48\.0 ms/),
        expect.stringMatching(/^Throughput by batch size\./),
        'Accuracy step by step: alone, no teacher 90.00 %; with the teacher 94.60 % (+4.60); the teacher has 95.00 %.',
        'Reliability of distilled, expected calibration error 3.10 %: ' +
          'sure by 90.00 %, right on 94.60 % of 100; sure by 99.00 %, right on 94.60 % of 100.',
        expect.stringMatching(/^Gains of \+4\.00 points, /),
        'Validation accuracy lost by layer. The most sensitive is &lt;stem&gt; +1: 25.00 points lost with 16 of 32 channels.',
      ]),
    );
    expect(labels[0]).toMatch(/distilled: 94\.60 %, 1\.00 ms\. Pareto front: distilled, teacher\.$/);
  });

  it('has the figures of report.json', () => {
    for (const text of [
      '94.60 %',
      '200.0 kB',
      '3.00 MB',
      '750,000',
      '-0.40 points',
      '1.2e-6',
      '3 min 10 s',
      '180.0 kB zipped',
    ]) {
      expect(html).toContain(text);
    }
    for (const { latency } of example.models)
      for (const { throughputPerSecond } of latency)
        expect(html).toContain(`<td>${Math.round(throughputPerSecond).toLocaleString('en')}</td>`);
    expect(html).toMatch(/<td class="hit" style="--w:\d+%">95<\/td>/);
    expect(html).toMatch(/<td class="miss" style="--w:\d+%">5<\/td>/);
    expect(html).toContain('<title>pointwise: 32 of 64 channels, 0.20 points gained</title>');
    expect(html).toContain(
      '<th scope="row">&lt;stem&gt;, add</th><td>32</td><td>16</td><td>70.00 %</td><td>25.00</td></tr>',
    );
    expect(html).toContain('temperature: 4');
    expect(html).toContain('load average 1.90: the machine was busy');
    expect(html).toContain('latency of &lt;teacher&gt; on 4 threads');
  });

  it('says how it stands beside the teacher, which layers are sensitive, and what it was made with', () => {
    expect(html).toContain('<td>92.50 %</td><td>180</td><td>4</td><td>9</td><td>5</td><td>2</td>');
    const quantization = /<section id="quantization">[^]*?<\/section>/.exec(html)![0];
    expect(quantization).toMatch(
      /dense<\/th><td>-10\.0 dB[^]*-5\.20 points[^]*conv&lt;1&gt;<\/th><td>-30\.0 dB[^]*-0\.40 points/,
    );
    expect(html).toContain('<dt>System</dt><dd>linux 6.1</dd>');
    expect(html).toMatch(
      /measure exports\/distilled\.onnx<\/th><td>1\.5 s.*?<\/td><td>95\.60 %<\/td><td>94\.60 %<\/td>/,
    );
  });

  it('with several runtimes has a chart of all and one of each, and tells marks apart by letters', () => {
    const elsewhere = example.models.map((model) => ({
      ...model,
      latency: [...model.latency, ...model.latency.map((row) => ({ ...row, runtime: 'litert', p50Ms: 2 * row.p50Ms }))],
    }));
    const text = reportHtml({ ...example, models: elsewhere });
    expect(faults(text)).toEqual([]);
    // Three latencies in all and in each of two runtimes, size and MACs.
    expect(text.match(/class="panel"/g)).toHaveLength(3 * 3 + 2);
    const all = /id="panel0-0">[^]*?id="panel0-1"/.exec(text)![0];
    expect(all).toContain('<li><b>A</b> onnxruntime on cpu</li><li><b>B</b> litert on cpu</li>');
    expect(all.match(/class="point"/g)).toHaveLength(2 * 6);
    expect(all).toContain(
      'distilled in onnxruntime on cpu (94.60 %, 1.00 ms); teacher in onnxruntime on cpu (95.00 %, 6.00 ms).',
    );
    expect(text).toContain('#trade:has(#cost1:checked):has(#runtime2:checked) #panel1-2{display:block}');
  });

  it('with too many classes for a matrix says which are the hardest', () => {
    const classNames = Array.from({ length: 100 }, (_, c) => `class ${c}`);
    const right = classNames.map((_, c) => (c === 42 ? 3 : 9));
    const models = example.models.map(({ confusion, ...row }) => ({
      ...row,
      ...(confusion && { perClass: { split: 'test' as const, samples: classNames.map(() => 10), right } }),
    }));
    const text = reportHtml({ ...example, dataset: { ...example.dataset, classes: 100, classNames }, models });
    expect(faults(text)).toEqual([]);
    expect(text).toContain('Hardest for distilled: class 42 (30.00 %), class 0 (90.00 %), class 1 (90.00 %).');
    expect(text).not.toContain('Confusion matrix');
  });

  it.each([
    ['distilled-int8', { precision: 'int8', method: 'ptq' }],
    ['distilled-int8-qat', { precision: 'int8', method: 'qat' }],
    ['distilled-int8-2', { precision: 'int8', method: 'ptq', number: 2 }],
  ] as const)('says so where the fewer bits of %s are slower', (id, form) => {
    const int8 = { ...example.models[2]!, id, stage: 'quantize', ...form };
    const times = (factor: number) => ({
      ...int8,
      latency: int8.latency.map(({ intervalMs, ...row }) => ({
        ...{ ...row, p50Ms: factor * row.p50Ms },
        intervalMs: [factor * intervalMs![0], factor * intervalMs![1]] as const,
      })),
    });
    expect(reportHtml({ ...example, models: [...example.models, times(3)] })).toContain(
      `${id} is 3× slower (2.5 to 3.7×) than distilled in onnxruntime on cpu, batch 1, 1 thread`,
    );
    // By less than a twentieth the text would be 1×; by a seventh the intervals overlap.
    for (const other of [int8, times(1.03), times(1.15)])
      expect(reportHtml({ ...example, models: [...example.models, other] })).not.toContain('fewer bits');
  });

  it('is a function of report.json, whatever was drawn before in the process', () => {
    reportHtml({ ...example, models: example.models.slice(1) });
    expect(reportHtml(parseReport(reportJson(example)))).toBe(html);
  });

  it('has no id and no class that ECharts numbers through the process, and refers to no other', () => {
    expect(html).not.toMatch(/\bzr\d|clip-path|ecmeta/);
    for (const [, id] of html.matchAll(/url\(#([^)]*)\)/g)) expect(html).toContain(`id="${id}"`);
  });

  it('leaves the colours to the style, so that they follow the scheme of the reader', () => {
    const charts = html.match(/<svg class="chart[^]*?<\/svg>/g)!.join('');
    const colours = [...charts.matchAll(/ (?:fill|stroke)="([^"]*)"/g)].map((match) => match[1]!);
    expect(new Set(colours.map((colour) => colour.replace(/\w+\)$/, '')))).toEqual(new Set(['var(--']));
  });

  it('makes every mark of the scatter charts reachable and tells its figures', () => {
    const trade = /<section id="trade">[^]*?<\/section>/.exec(html)![0];
    for (const [chart] of trade.matchAll(/<svg class="chart[^]*?<\/svg>/g)) {
      expect(
        chart.match(/<g class="point" tabindex="0" role="img" aria-label="[^"]+: \d\d\.\d\d % right, /g),
      ).toHaveLength(3);
      expect(chart.match(/<g class="readout">/g)).toHaveLength(3);
    }
  });

  it('draws beaten marks hollow and the front as a dashed line', () => {
    const [chart] = /<svg class="chart wide[^]*?<\/svg>/.exec(html)!;
    // The twin is slower and less often right than the student.
    expect(chart.match(/fill="var\(--card\)" stroke="var\(--s\d\)"/g)).toEqual([
      'fill="var(--card)" stroke="var(--s1)"',
    ]);
    expect(chart.match(/stroke="var\(--accent\)" stroke-width="2" stroke-dasharray="2,5"/g)).toHaveLength(1);
  });

  it('of a stopped run says where', () => {
    const stopped = { stage: 'distill', reason: 'stopped distill after step 11 of 22' };
    const text = reportHtml({ ...example, status: 'interrupted', models: [], stopped });
    expect(text).toContain('The run was stopped in distill: stopped distill after step 11 of 22.');
    expect(text).toContain('Training loss');
  });
});

describe('charts at their limits', () => {
  it('have no two ticks of one text, however near the values are', () => {
    const near = (at: number) => example.models.map((row, i) => ({ ...row, score: { validation: null, test: at + i * 2e-4 }, latency: row.latency.map((timed) => ({ ...timed, p50Ms: 0.95 + i * 1e-4 })) })); // prettier-ignore
    const text = reportHtml({ ...example, models: near(0.009), training: [] });
    const charts = text.match(/<svg class="chart (?:wide|narrow)".*?<\/svg>/gs)!.filter((chart) => chart.includes('against median')); // prettier-ignore
    expect(charts.length).toBeGreaterThan(2);
    for (const chart of charts) {
      const ticks = [...chart.matchAll(/>([\d.]+ (?:%|m?s|µs))<\/text>/g)].map((match) => match[1]!);
      expect(ticks.length).toBeGreaterThan(3);
      expect(new Set(ticks).size).toBe(ticks.length);
    }
  });

  it('fold rows and notes beyond a dozen', () => {
    const rows = Array.from({ length: 30 }, (_, i) => ({ layer: `layer ${i}`, noise: 1 / (i + 1), drop: 0 }));
    const notes = rows.map(({ layer }) => `note on ${layer}`);
    const sensitivity = { ...example.quantizationSensitivity!, rows };
    const text = reportHtml({
      ...example,
      quantizationSensitivity: sensitivity,
      notes,
      models: example.models.slice(0, 1),
      remeasured: [],
    });
    expect(faults(text)).toEqual([]);
    const [open, hidden] = /<section id="quantization">[^]*?<\/section>/.exec(text)![0].split('<details><summary>18 more rows</summary>'); // prettier-ignore
    expect(open).toContain('layer 11<');
    expect(open).not.toContain('layer 12<');
    expect(hidden).toContain('layer 29<');
    expect(text).toMatch(
      /note on layer 11<\/li><\/ul><details><summary>18 more<\/summary><ul class="notes"><li>note on layer 12</,
    );
  });

  it('keep names of marks apart in a crowd, or hide them', () => {
    const points = Array.from({ length: 40 }, (_, i): [number, number] => [300 + (i % 5), 200 + (i % 7)]);
    const layout = besideMarks(points, (x, y) => [x, y], 700);
    const label = { width: 100, height: 14, x: 0, y: 0 };
    const shared = { labelRect: label, rect: label, seriesIndex: 0, text: 'a' };
    const placed = points.map((_, dataIndex) =>
      layout({ ...shared, dataIndex, align: 'left', verticalAlign: 'middle' }),
    );
    const shown = placed.flatMap((of) => ('align' in of ? [of] : []));
    expect(shown.length).toBeGreaterThan(8);
    expect(placed.filter((of) => !('align' in of)).every((of) => 'fontSize' in of && of.fontSize === 0)).toBe(true);
    for (const [i, a] of shown.entries()) {
      const beside = shown
        .slice(0, i)
        .filter((b) => b.align === a.align && Math.abs(b.y - a.y) < 14 && Math.abs(b.x - a.x) < 100);
      expect(beside).toEqual([]);
    }
  });

  it('have no accuracy above 100 % on the axis where all are right', () => {
    const models = example.models.map((row) => ({ ...row, score: { validation: 1, test: 1 } }));
    const text = reportHtml({ ...example, models, training: [] });
    expect(text).toContain('>100 %</text>');
    expect(text).not.toMatch(/>1(?!00)\d\d(?:\.\d+)? %<\/text>/);
  });
});

describe('report.csv', () => {
  it('has a row per model and setting, with the figures of report.json', () => {
    const lines = reportCsv({ ...example, name: 'a,"b"' }).split('\r\n');
    expect(lines).toHaveLength(1 + 6 + 1);
    expect(lines[0]!.split(',')).toHaveLength(31);
    expect(lines[5]).toBe(
      '"a,""b""",distilled,distill,onnx,fp32,exports/distilled.onnx,50000,400000,200000,0.956,0.946,75,0.031,0.9712,0.9359999999999999,0.2345,0.925,onnxruntime,cpu,1,1,1,1.2,2,1000,0.9,1.1,50,8,2000000,',
    );
  });
});
