/** A pattern of events as people read it: `acquire-granted (client A)`. */
export function patternText({
  event,
  ...fields
}: { readonly event: string } & Readonly<Record<string, unknown>>): string {
  const conditions = conditionTexts(fields);
  return conditions.length === 0 ? event : `${event} (${conditions.join(', ')})`;
}

/** The fields by which a pattern is narrowed: `client A`, or `before acquire-granted (client A)`. */
export function conditionTexts(fields: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([field, value]) => `${field} ${isPattern(value) ? patternText(value) : String(value)}`);
}

function isPattern(value: unknown): value is { readonly event: string } & Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && 'event' in value;
}
