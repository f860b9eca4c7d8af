//! A JSON Schema (draft 2020-12), and what a document violates of it.

use boon::{Compiler, Draft, SchemaIndex, Schemas};
use serde_json::Value;

/// A compiled schema.
pub(crate) struct Schema {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Schema {
    pub(crate) fn new(schema: Value) -> Self {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.set_default_draft(Draft::V2020_12);
        // A name without a scheme would be a file.
        let name = "schema:tested";
        compiler.add_resource(name, schema).unwrap();
        let index = compiler.compile(name, &mut schemas).unwrap();
        Self { schemas, index }
    }

    /// What is wrong with a document; empty if it is valid.
    pub(crate) fn violations(&self, document: &Value) -> Vec<String> {
        let error = self.schemas.validate(document, self.index).err();
        error.map(|error| format!("{error:#}")).into_iter().collect()
    }
}
