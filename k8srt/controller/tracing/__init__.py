"""Spans of OpenTelemetry. Contract: TRC-01, TRC-02."""
