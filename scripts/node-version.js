/**
 * Says which Node is needed where `npm start` finds an older one: after `npm ci --omit=dev` the machine's own is used. Plain
 * JavaScript of long ago, since an old Node must be able to read it.
 */
const needed = 24;

if (Number.parseInt(process.versions.node, 10) < needed) {
  console.error(
    `rag-intake needs Node ${needed} or newer, and this is ${process.versions.node}. Install it, or bring it along as a package: ` +
      'npm install --no-save --save-prod --omit=dev node',
  );
  process.exit(1);
}
