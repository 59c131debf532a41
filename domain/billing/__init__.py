"""What makes an invoice: its lines, discounts, VAT and totals. Kopecks; pure."""
