/** One member of documents' metadata that a list or a search is narrowed to, as an address holds it: `folder:contracts/north`. */
export type MetadataFilter = { readonly key: string; readonly value: string };

/** Null for none, or for what is none. */
export function metadataFilterOf(parameter: string | undefined): MetadataFilter | null {
  const [, key, value] = /^([^:]{1,64}):(.+)$/s.exec(parameter ?? '') ?? [];
  return key === undefined || value === undefined ? null : { key, value };
}

export function metadataParameter(key: string, value: string | number | boolean): string {
  return `${key}:${String(value)}`;
}

/** The server's filter, as JSON; a number or a truth value is looked for as that and as text. */
export function filterOf(parameter: string | undefined): string | null {
  const filter = metadataFilterOf(parameter);
  if (filter === null) return null;
  const { key, value } = filter;
  const typed = typedValue(value);
  const forms = typeof typed === 'string' ? [value] : [value, typed];
  return JSON.stringify({
    type: 'or',
    filters: [...forms.map((form) => ({ type: 'eq', key, value: form })), { type: 'contains', key, value }],
  });
}

/** What somebody types as a value: a number or a truth value where it reads as one, else text. */
export function typedValue(text: string): string | number | boolean {
  if (/^-?(?:0|[1-9]\d{0,14})(?:\.\d{1,10})?$/.test(text)) return Number(text);
  return text === 'true' || text === 'false' ? text === 'true' : text;
}
