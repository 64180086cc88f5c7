#!/bin/bash
# npm 11.19.1 (npm): the CycloneDX bill of `npm sbom` names its root component after the folder that it runs in, while the
# same component's purl and bom-ref, and npm's own SPDX bill of the same tree, have the name of package.json. So the bills
# of two checkouts of one commit differ, and tools that go by the name see another product in a folder called "build".
# Needs Node 20.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm install --silent --no-fund --no-audit --prefix . npm@11.19.1 > /dev/null
for folder in build checkout-7; do
  mkdir "$folder"
  echo '{"name":"parcel-tracker","version":"2.4.0","license":"MIT","dependencies":{"ms":"2.1.3"}}' > "$folder/package.json"
  (
    cd "$folder"
    ../node_modules/.bin/npm install --silent --no-fund --no-audit > /dev/null
    ../node_modules/.bin/npm sbom --sbom-format cyclonedx > cyclonedx.json
    ../node_modules/.bin/npm sbom --sbom-format spdx > spdx.json
    node -e '
      const [cyclonedx, spdx] = ["cyclonedx", "spdx"].map((form) => require(`./${form}.json`));
      const { name, purl, "bom-ref": ref } = cyclonedx.metadata.component;
      const folder = require("path").basename(process.cwd());
      console.log(`${folder}: CycloneDX ${name}, ${ref}, ${purl}; SPDX ${spdx.packages[0].name}`);'
  )
done | tee seen
diff seen - <<'SEEN'
build: CycloneDX build, parcel-tracker@2.4.0, pkg:npm/parcel-tracker@2.4.0; SPDX parcel-tracker
checkout-7: CycloneDX checkout-7, parcel-tracker@2.4.0, pkg:npm/parcel-tracker@2.4.0; SPDX parcel-tracker
SEEN
