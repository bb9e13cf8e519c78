import { channelTable } from '../../../src/report/tables/channels.ts';
import { reportHtml } from '../../../src/report/html/page.ts';
import { reportMarkdown } from '../../../src/report/render/markdown.ts';
import { example } from '../example.ts';

it('channels stand layer by layer, step after step, and a layer that keeps its own is said once', () => {
  expect(channelTable(example.channels!)).toEqual({
    models: ['pruned-1', 'pruned-2'],
    rows: [
      { layers: ['<stem>', 'add'], counts: [32, 24, 16] },
      { layers: ['pointwise'], counts: [64, 64, 40] },
    ],
    left: [{ what: 'head', why: 'its channels are the outputs of the <model>' }],
  });
});

it('both reports show them', () => {
  const html = reportHtml(example);
  expect(html).toContain('&lt;stem&gt;, add</th><td>32</td><td>24</td><td>16</td>');
  expect(html).toContain('pointwise</th><td>64</td><td>as before</td><td>40</td>');
  expect(html).toContain('<li>head: its channels are the outputs of the &lt;model&gt;</li>');
  const markdown = reportMarkdown(example);
  expect(markdown).toContain('| channels of | before | pruned-1 | pruned-2 |');
  expect(markdown).toContain('- head keeps all channels: its channels are the outputs of the &#60;model>.');
});
