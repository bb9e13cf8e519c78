import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { reportJson } from '../../src/report/render/json.ts';
import { reportMarkdown } from '../../src/report/render/markdown.ts';
import { parseReport } from '../../src/report/read.ts';
import { reportJsonSchema } from '../../src/report/schema.ts';
import type { ModelRow, Report } from '../../src/report/types.ts';
import { example } from './example.ts';

const row = (role: 'scratch' | 'distilled', test: number): ModelRow => ({
  id: role,
  model: { role, repeat: 0 },
  stage: 'distill',
  format: 'onnx',
  precision: 'fp32',
  params: 46330,
  macs: 1234567,
  sizeBytes: 190123,
  file: `exports/${role}.onnx`,
  score: { validation: 0.93, test },
  seconds: 75,
  latency: [],
});

const report: Report = {
  version: 3,
  name: 'fashion-mnist',
  seed: 7,
  status: 'complete',
  wallSeconds: 170.2,
  machine: example.machine,
  score: { name: 'accuracy', unit: 'fraction', better: 'higher' },
  dataset: {
    type: 'idx',
    task: 'classification',
    classes: 10,
    sampleShape: [28, 28, 1],
    samples: { train: 54000, validation: 6000, test: 10000 },
  },
  teacher: { source: 'teacher.onnx', store: 'fp16', views: 1, seconds: 21.3, savedSeconds: 190, bytes: 1080000 },
  models: [row('scratch', 0.915), { ...row('distilled', 0.9234), macs: null, score: { validation: 0.93, test: null } }],
  verdict: {
    result: 'BEATS',
    gain: 0.0084,
    interval: [0.006, 0.011],
    repeats: 3,
    gains: [0.008, 0.0084, 0.0088],
    sentence: '+0.84 points',
  },
  parity: [{ file: 'exports/distilled.onnx', samples: 512, top1Agreement: 1, largestError: 1.2e-6 }],
  notes: ['no augmentation'],
};

describe('report.json', () => {
  it('is what its schema says, and is read back as it was', () => {
    expect(parseReport(reportJson(report))).toEqual(report);
    const { teacher, verdict, ...short } = report;
    expect(teacher && verdict).toBeDefined();
    expect(parseReport(reportJson(short))).toEqual(short);
  });

  it('with a key that the schema does not know is refused', () => {
    expect(() => parseReport(reportJson({ ...report, extra: 1 } as Report))).toThrow(/extra/);
  });

  it('has its schema published as it is', async () => {
    const file = path.resolve(import.meta.dirname, '../../docs/report.schema.json');
    if (process.env['UPDATE_DOCS'] === '1') await writeFile(file, JSON.stringify(reportJsonSchema(), null, 2));
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(reportJsonSchema());
  });
});

describe('report.md', () => {
  const text = reportMarkdown(report);

  it('says the verdict and shows the models side by side', () => {
    expect(text).toContain('**BEATS**: distilled against scratch +0.84 points.');
    expect(text).toContain('| scratch | fp32 | 46,330 | 1,234,567 | 190.1 kB | 93.00 % | 91.50 % | 1 min 15 s |');
    expect(text).toContain('| distilled | fp32 | 46,330 |  | 190.1 kB | 93.00 % |  | 1 min 15 s |');
  });

  it('says how calibrated the models are, and how often they say what the teacher says', () => {
    const rated = reportMarkdown(example);
    expect(rated).toContain('| teacher | 97.12 % | 94.00 % | 0.2345 | 3.10 % | 97.00 % |  |');
    expect(rated).toContain('| distilled | 97.12 % | 93.60 % | 0.2345 | 3.10 % | 97.00 % | 92.50 % |');
  });

  it('says how long a run takes with its interval, what memory it needs, and what was measured later', () => {
    const timed = reportMarkdown(example);
    expect(timed).toContain(
      '| teacher | onnxruntime on cpu | 1 | 1 | 6.00 ms | 5.40 ms to 6.60 ms | 7.20 ms | 167 | 2.00 MB |',
    );
    expect(timed).toContain('- Latency measured again at 2026-01-02T03:04:05.000Z with onnxruntime-web 1.30.0.');
    expect(timed).toContain(
      '- Note: latency of WebGPU was not measured at 2026-01-02T03:04:05.000Z: this browser has &#60;none>.',
    );
  });

  it('says what the teacher took, what the store saved, how near the export is, and what was odd', () => {
    expect(text).toContain('its answers (fp16, 1 view, 1.08 MB) took 21.3 s, storing them saved 3 min 10 s.');
    expect(text).toContain(
      'same class as the training graph on 100.00 % of 512 samples, largest difference of a logit 1.2e-6.',
    );
    expect(text).toContain('- Note: no augmentation.');
  });
});
