import { textTable } from '../../../src/commands/terminal/table.ts';
import { fittedToWidth } from '../../../src/commands/terminal/wrapped.ts';

const ROWS = [
  ['device', 'usable', ''],
  ['cpu', 'yes', 'works'],
  ['cuda', 'no', 'the library of the provider is not installed; fetch it, and install CUDA 12'],
];

it('wraps its last column between words on a terminal that is too narrow, and there alone', () => {
  expect(textTable(ROWS, { isTerminal: true, columns: 60 })).toBe(
    [
      'device  usable',
      'cpu     yes     works',
      'cuda    no      the library of the provider is not',
      '                installed; fetch it, and install CUDA 12',
      '',
    ].join('\n'),
  );
  const whole = textTable(ROWS);
  expect(textTable(ROWS, { isTerminal: false, columns: 60 })).toBe(whole);
  expect(textTable(ROWS, { isTerminal: true, columns: 120 })).toBe(whole);
  expect(whole.split('\n')).toHaveLength(4);
});

it('becomes blocks where numbers do not fit beside each other', () => {
  const rows = [
    ['file', 'batch', 'samples/s'],
    ['exports/distilled.onnx', '1', '399,361'],
    ['teacher.onnx', '32', '1,000'],
  ];
  expect(textTable(rows)).toContain('exports/distilled.onnx      1    399,361\n');
  expect(textTable(rows, { isTerminal: true, columns: 30 })).toBe(
    [
      'exports/distilled.onnx',
      '  batch      1',
      '  samples/s  399,361',
      'teacher.onnx',
      '  batch      32',
      '  samples/s  1,000',
      '',
    ].join('\n'),
  );
});

it('sentences are cut between words on a terminal that is too narrow, and a path stays whole', () => {
  const text = 'model  size\n  it was left alone as nothing is known of it\nreport: a/very/long/path/to/report.html\n';
  expect(fittedToWidth(text, { isTerminal: true, columns: 26 })).toBe(
    'model  size\n  it was left alone as\n    nothing is known of it\nreport:\n  a/very/long/path/to/report.html\n',
  );
  expect(fittedToWidth(text, { isTerminal: false, columns: 26 })).toBe(text);
});
