"""Pictures of networks and of their costs: boxes, layouts, charts; as SVG, as text, as Mermaid and DOT."""
