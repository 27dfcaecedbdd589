/** Where an object store is, as FILES_URL says it: `s3://bucket/prefix?endpoint=https://host:9000&region=eu-central-1`. */

export type ObjectPlace = {
  /** Of the bucket, path-style: `https://host/bucket/`. */
  readonly bucketUrl: string;
  /** What every key begins with; '' or with a slash at its end. */
  readonly prefix: string;
  readonly region: string;
};

const example = 's3://bucket/prefix?endpoint=https://host:9000&region=eu-central-1';

/** Null for ''. Pure. @throws Error saying what was expected. */
export function parseFilesUrl(text: string): ObjectPlace | null {
  const given = text.trim();
  if (given === '') return null;
  const url = URL.canParse(given) ? new URL(given) : null;
  if (url === null || url.protocol !== 's3:' || !isBucket(url.host)) throw new Error(`an address like ${example}`);
  if (url.username !== '' || url.password !== '')
    throw new Error('no credentials in the address; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY');
  const unknown = [...url.searchParams.keys()].find((name) => name !== 'endpoint' && name !== 'region');
  if (unknown !== undefined) throw new Error(`only endpoint and region in the query, not ${unknown}`);
  const region = url.searchParams.get('region') ?? 'us-east-1';
  const endpoint = endpointOf(url.searchParams.get('endpoint') ?? `https://s3.${region}.amazonaws.com`);
  const path = url.pathname.replace(/^\/+|\/+$/g, '');
  if (!/^[A-Za-z0-9._/-]*$/.test(path)) throw new Error('a prefix of letters, digits, dots, dashes and slashes');
  return { bucketUrl: `${endpoint}/${url.host}/`, prefix: path === '' ? '' : `${path}/`, region };
}

function isBucket(name: string): boolean {
  return /^[a-z0-9][a-z0-9._-]{1,254}$/.test(name);
}

function endpointOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '' || url.hash !== '')
    throw new Error(`an endpoint like https://host:9000 in an address like ${example}`);
  return url.href.replace(/\/+$/, '');
}
