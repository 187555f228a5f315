/** A point as a reader of line protocol understands it. */
export interface ParsedPoint {
  measurement: string;
  tags: Record<string, string>;
  fields: Record<string, number | boolean | string>;
  time: number;
}

/**
 * Reads line protocol as an InfluxDB 1.x server does, oddities included: lines are cut by a scanner that skips a backslash with
 * whatever follows, names by scanners that look one character back, and a measurement that begins with # is a comment.
 * Shares nothing with the writer under test. Throws on a line that is not understood.
 */
export function parseLines(text: string): ParsedPoint[] {
  return cutLines(text)
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(parseLine);
}

function cutLines(text: string): string[] {
  const lines: string[] = [];
  let start = 0;
  let inFields = false;
  let quoted = false;
  let balance = 0; // equals signs less commas since the fields began: a quote opens a string only after an equals sign
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === '\\') {
      i++;
    } else if (char === '\n' && !quoted) {
      lines.push(text.slice(start, i));
      start = i + 1;
      inFields = false;
      balance = 0;
    } else if (char === ' ') {
      inFields = true;
    } else if (inFields && char === '"' && balance > 0) {
      quoted = !quoted;
    } else if (inFields && !quoted && (char === '=' || char === ',')) {
      balance += char === '=' ? 1 : -1;
    }
  }
  lines.push(text.slice(start));
  return lines;
}

function parseLine(line: string): ParsedPoint {
  let at = 0;
  /** The text up to the next of `stops` that has no backslash before it. */
  const upTo = (stops: string): string => {
    const from = at;
    while (at < line.length && !(stops.includes(line[at]!) && line[at - 1] !== '\\')) at++;
    return line.slice(from, at);
  };
  const tags: Record<string, string> = Object.create(null);
  const fields: Record<string, number | boolean | string> = Object.create(null);
  const measurement = upTo(', ')
    .replace(/\\([,"])/g, '$1')
    .replace(/\\ /g, ' ');
  while (line[at] === ',') {
    at++;
    const key = nameOf(upTo('=, '));
    if (line[at++] !== '=') throw new Error(`a tag has no value: ${line}`);
    const value = nameOf(upTo(',= '));
    if (key === '' || value === '' || key in tags) throw new Error(`a tag is empty or there twice: ${line}`);
    tags[key] = value;
  }
  if (line[at] !== ' ') throw new Error(`no space after the tags: ${line}`);
  do {
    at++;
    const key = nameOf(upTo('='));
    at++;
    if (key in fields) throw new Error(`a field is there twice: ${line}`);
    if (line[at] === '"') {
      let value = '';
      for (at++; line[at] !== '"'; at++) {
        if (at >= line.length) throw new Error(`a string has no end: ${line}`);
        if (line[at] === '\\' && /["\\]/.test(line[at + 1] ?? '')) at++;
        value += line[at];
      }
      at++;
      fields[key] = value;
    } else {
      const word = upTo(', ');
      if (!/^(true|false|-?\d+(\.\d+)?([eE][+-]?\d+)?)$/.test(word)) throw new Error(`not a value: ${word}: ${line}`);
      fields[key] = word === 'true' || word === 'false' ? word === 'true' : Number(word);
    }
  } while (line[at] === ',');
  if (!/^ -?\d+$/.test(line.slice(at))) throw new Error(`no time at the end: ${line}`);
  return { measurement, tags, fields, time: Number(line.slice(at)) };
}

function nameOf(name: string): string {
  return name.replace(/\\([,= "])/g, '$1');
}
