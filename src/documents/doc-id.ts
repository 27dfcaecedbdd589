/**
 * One name, however its characters are put together: macOS sends `é` as two characters, people type it as one. Names compare in
 * Unicode's composed form (NFC); what is stored stays as it was.
 */

/** The forms under which a doc_id may have been stored: as it is given, composed, decomposed. One for most names. */
export function docIdForms(docId: string): readonly string[] {
  return [...new Set([docId, docId.normalize('NFC'), docId.normalize('NFD')])];
}

/**
 * The doc_id under which a document is kept, or would be: in the form in which there is one already (as given first, so that
 * documents of older versions that differ only in form can each be reached), else composed.
 */
export async function keptDocId(docId: string, isThere: (docId: string) => Promise<boolean>): Promise<string> {
  const forms = docIdForms(docId);
  if (forms.length === 1) return docId;
  for (const form of forms) if (await isThere(form)) return form;
  return docId.normalize('NFC');
}
