import sharp from 'sharp';
import { reportHtml } from '../../../src/report/html/page.ts';
import { boxColour } from '../../../src/report/mask-colours.ts';
import { everything } from '../everything.ts';

it('boxes lie on a picture of its own proportions', async () => {
  const raw = { width: 40, height: 30, channels: 3 } as const;
  const png = await sharp(Buffer.alloc(40 * 30 * 3), { raw })
    .png()
    .toBuffer();
  const report = everything['boxes']!;
  const [row] = report.examples!.rows;
  const picture = png.toString('base64');
  const html = reportHtml({ ...report, examples: { ...report.examples!, rows: [{ ...row!, picture }] } });
  expect(html).toContain('<svg viewBox="0 0 100 75" role="img" aria-label="boxes of the label"><image id="picture-test-7-png" width="100" height="75"'); // prettier-ignore
  // From 0.2 to 0.6 of the height.
  expect(html).toContain(
    '<rect x="10" y="15" width="40" height="30"><title>cat</title></rect><text x="10" y="13.5">cat</text>',
  );
});

it('points lie on a picture, with lines between those of a side', () => {
  const html = reportHtml(everything['points']!);
  const [label, teacher] = ['label', 'teacher'].map((who) => html.split(`aria-label="points of the ${who}">`)[1]!.split('</svg>')[0]!); // prettier-ignore
  expect(label!.match(/<line /g)).toHaveLength(2);
  expect(label).toContain('<line x1="20" y1="50" x2="60" y2="50"');
  const colours = [0, 1].map((k) => `rgb(${boxColour(k).join(',')})`);
  expect(label).toContain(`<circle cx="20" cy="50" r="2.2" fill="${colours[0]!}" stroke="#fff"`);
  expect(label).toContain(`<circle cx="60" cy="50" r="2.2" fill="none" stroke="${colours[1]!}"`);
  expect(teacher).not.toContain('<line');
  expect(teacher).toContain('<title>cat 90 %</title>');
  expect(html).toContain('those whose points lie furthest apart come first');
});

it('vectors are further apart or nearer, never the same', () => {
  const html = reportHtml(everything['vectors']!);
  expect(html).toContain('The samples of the test split whose vectors are furthest apart.');
  expect(html).not.toContain('of the 200 samples');
  expect(reportHtml(everything['tags']!)).toContain('They answer 12 of the 200 samples of the test split differently;');
});
