const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as it may stand in HTML and SVG, between tags and in quoted attributes. */
export function escape(text: string | number): string {
  return withoutControls(String(text)).replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

/** Text without control characters, which have no place in HTML and SVG, nor signs that turn the order of the letters after them. */
export function withoutControls(text: string): string {
  // oxlint-disable-next-line no-control-regex -- names come from files of anybody
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}
