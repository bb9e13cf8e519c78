import { z } from 'zod';
import { answerForms } from '../../src/recipe/answer-forms.ts';
import { answerFigures } from '../../src/report/answer-figures.ts';
import { reportHtml } from '../../src/report/html/page.ts';
import { reportMarkdown } from '../../src/report/render/markdown.ts';
import { reportJson } from '../../src/report/render/json.ts';
import { FIGURE_SCHEMAS } from '../../src/report/schema/model.ts';
import { parseReport } from '../../src/report/read.ts';
import { markup } from '../../src/report/html/markup.ts';
import { example } from './example.ts';

it('figures that a form of answers adds get into both reports, from the same rows', () => {
  answerFigures.add({
    ...{ name: 'joints', id: 'joints', heading: 'Joints' },
    text: (first) => markup`Of ${first.id}.`,
    parts: {
      label: 'Points by joint',
      head: () => ['joint', 'PCK'],
      rows: ({ id }) => (id === 'distilled' ? [['knee | <left>', '87.5 %']] : undefined),
      partText: (name) => `joint ${name}`,
    },
  });
  const html = reportHtml(example);
  expect(html).toContain('<section id="joints"><h2>Joints</h2><p>Of distilled.</p>');
  expect(html).toMatch(/distilled<small>joint knee \| &lt;left&gt;<\/small><\/th><td>87\.5 %<\/td>/);
  expect(html).toContain('<a href="#joints">Joints</a>');
  expect(reportMarkdown(example)).toContain(
    '| model | joint | PCK |\n| --- | --- | ---: |\n| distilled | knee \\| &lt;left> | 87.5 % |',
  );
});

it('figures that a form of answer declares stand in report.json with their split, and no others do', async () => {
  const described = { joints: z.strictObject({ pck: z.number() }) };
  const figureSchemas = () => Promise.resolve({ figureSchemas: { described } });
  answerForms.add({ name: 'joints', words: ['joint', 'joints'], tasks: {}, keys: [] }, { figureSchemas });
  await FIGURE_SCHEMAS.load('joints');
  const joints = { split: 'test', pck: 0.875 };
  const models = example.models.map((row) => ({ ...row, joints }));
  expect(parseReport(reportJson({ ...example, models })).models[0]).toMatchObject({ joints });
  const others = example.models.map((row) => ({ ...row, knees: joints }));
  expect(() => reportJson({ ...example, models: others })).toThrow('knees');
});
