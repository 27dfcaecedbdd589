/** What a caller may do, and what a route asks for. */

/** Each contains the ones before it; `public` needs no key. */
export const scopes = ['public', 'read', 'write', 'admin'] as const;
export type Scope = (typeof scopes)[number];

/** What a key may do. */
export type KeyScope = Exclude<Scope, 'public'>;

/** Whether a caller of scope `held` may do what needs `needed`. */
export function allows(held: Scope, needed: Scope): boolean {
  return scopes.indexOf(held) >= scopes.indexOf(needed);
}
