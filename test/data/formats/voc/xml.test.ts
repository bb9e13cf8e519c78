import { parseXml } from '../../../../src/data/formats/voc/xml.ts';
import type { XmlElement } from '../../../../src/data/formats/voc/xml.ts';
import { userError } from '../../support.ts';

const parsed = (text: string) => parseXml(text, 'a.xml');
const outline = ({ name, line, text, children }: XmlElement): unknown => [name, line, text, ...children.map(outline)];

it('reads elements with their lines and texts', () => {
  const text = `\uFEFF<?xml version="1.0" encoding="utf-8"?>
<!-- a <comment> -->
<a x="1" y='>'>
  one<b/>
  <c
    z = "&"  >two &lt;3 &#65;&#x42; &quot;&amp;&apos;</c>
  <![CDATA[<four> & ]]>
</a>
`;
  expect(outline(parsed(text))).toEqual(['a', 3, 'one\n  \n  <four> &', ['b', 4, ''], ['c', 5, 'two <3 AB "&\'']]);
});

it.each([
  ['', 1, 'no element'],
  ['<a>', 1, '<a> of line 1 does not end'],
  ['<a>\n<b>\n</a>', 3, '</a> ends <b> of line 2'],
  ['</a>', 1, '</a> ends no element'],
  ['<a/>\n<b/>', 2, 'a second root element <b>'],
  ['<a/>\ntext', 1, 'text outside of the root element: text'],
  ['<a>\n&nbsp;</a>', 1, 'unknown entity &nbsp;'],
  ['<a>& b</a>', 1, 'unknown entity &'],
  ['<a>&#0;</a>', 1, 'unknown entity &#0;'],
  ['<a>&#x110000;</a>', 1, 'unknown entity &#x110000;'],
  ['<a b></a>', 1, 'unexpected <a b></a>'],
  ['<a b="1></a>', 1, 'unexpected <a b="1></a>'],
  ['<!DOCTYPE a [<!ENTITY x "y">]>\n<a/>', 1, 'unexpected <!DOCTYPE a [<!ENTITY x "y">]>'],
  ['<a>\n<1/></a>', 2, 'unexpected <1/></a>'],
  ['<a><!-- </a>', 1, 'unexpected <!-- </a>'],
])('refuses %j', async (text, line, what) => {
  expect((await userError(() => parsed(text))).message).toBe(`a.xml:${line}: not usable XML: ${what}`);
});

it('reads 200,000 elements, and a text of many brackets, without growing slow', () => {
  expect(parsed(`<a>${'<b>1</b>'.repeat(200_000)}</a>`).children).toHaveLength(200_000);
  expect(() => parsed(`<a ${'x="1" '.repeat(20_000)}`)).toThrow('unexpected');
});
